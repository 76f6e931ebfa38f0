# The page on a machine without a GPU:
#   docker build --tag attnviz . && docker run --publish 7860:7860 attnviz
# It holds the ImageNet networks that the page opens first, 330 MB. Without them:
#   docker build --tag attnviz --build-arg NETWORKS= .
# The base image is that of one digest (Python 3.12.14 on Debian trixie). A newer one, when its system was mended:
#   docker buildx imagetools inspect python:3.12-slim --format '{{.Manifest.Digest}}'
ARG BASE=python:3.12-slim@sha256:78387bc3881b8273120a12ebe6c1ab22b018ccc2c9adf565ae1ac9b536e184ea
FROM ${BASE}

ENV PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /app

# All but PyTorch by hashes. PyTorch's CPU wheels are some gigabytes smaller than those of PyPI, which bring CUDA, and
# have other hashes. What the image holds is written down in /app/sbom.json, as CycloneDX has it.
COPY requirements.lock sbom.lock torch.lock ./
RUN pip install --no-deps --require-hashes --requirement requirements.lock \
 && pip install --no-deps --index-url https://download.pytorch.org/whl/cpu --requirement torch.lock \
 && pip check \
 && python -m venv /tmp/sbom \
 && /tmp/sbom/bin/pip install --no-deps --require-hashes --requirement sbom.lock \
 && /tmp/sbom/bin/cyclonedx-py environment --output-file sbom.json "$(command -v python)" \
 && rm -r /tmp/sbom

COPY app.py LICENSE ./
COPY attnviz attnviz
COPY models models
COPY assets assets

# All of it is root's: the page can write to its home, for weights that it downloads, and to /tmp, for uploads.
RUN useradd --uid 1000 --create-home attnviz
USER attnviz

ARG NETWORKS=cbam_resnet50,seresnet50,bam_resnet50
ENV ATTNVIZ_NETWORKS=${NETWORKS}
RUN ["python", "-m", "attnviz", "fetch"]

ENV ATTNVIZ_HOST=0.0.0.0 ATTNVIZ_PORT=7860
EXPOSE 7860
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
  CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:7860/healthz', timeout=4)"]
CMD ["python", "app.py"]
