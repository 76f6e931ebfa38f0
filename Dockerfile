# The page on a machine without a GPU:
#   docker build --tag attnviz . && docker run --publish 7860:7860 attnviz
FROM python:3.12-slim

ENV PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /app

# PyTorch's CPU wheels are some gigabytes smaller than those of PyPI, which bring CUDA.
COPY requirements.txt .
RUN grep -E '^torch(vision)?[^a-z]' requirements.txt > torch.txt \
 && pip install --index-url https://download.pytorch.org/whl/cpu --requirement torch.txt \
 && pip install --requirement requirements.txt \
 && rm torch.txt

COPY app.py LICENSE ./
COPY attnviz attnviz
COPY models models
COPY assets assets

# All of it is root's: the page can write to its home, for weights that it downloads, and to /tmp, for uploads.
RUN useradd --uid 1000 --create-home attnviz
USER attnviz

ENV ATTNVIZ_HOST=0.0.0.0 ATTNVIZ_PORT=7860
EXPOSE 7860
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
  CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:7860/healthz', timeout=4)"]
CMD ["python", "app.py"]
