# The environments `current` and `current-cuda`: the torch with which benchmarks are trained, and what unlearning code
# imports most (packages.txt). The wheels decide which of the two it is: a torch for CPUs, or one that brings
# CUDA, for which the host needs the NVIDIA driver and container toolkit, and nothing else of CUDA.
# It runs read-only, without network, as user 65534. Built by scripts/sandbox-image, which fills the directory `wheels`.
ARG BASE=debian:bookworm-slim
FROM ${BASE} AS packages

RUN apt-get update -qq \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3 python3-venv
COPY wheels /wheels
# Byte code is kept, because nothing can be compiled again under the read-only root.
RUN python3 -m venv /opt/python \
    && /opt/python/bin/pip install --no-cache-dir --no-index --compile --quiet /wheels/*.whl \
    && /opt/python/bin/pip uninstall --quiet --yes pip
COPY torchvision_operators.py torchvision_hook.py /opt/python/lib/python3.11/site-packages/
# A torchvision for CUDA beside a torch for CPUs gets its operators from us.
RUN cd /opt/python/lib/python3.11/site-packages \
    && if /opt/python/bin/python -c 'import torchvision' 2>/dev/null; then rm torchvision_operators.py torchvision_hook.py; \
    else echo 'import torchvision_hook' >torchvision_hook.pth && /opt/python/bin/python -m compileall -q torchvision_*.py; fi \
    && /opt/python/bin/python -c 'import torchvision'

FROM ${BASE}
RUN apt-get update -qq \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3 unzip zip \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/*
COPY --from=packages /opt/python /opt/python

# Threads that wait actively starve the other sandboxes of the host: measured 2.58 s against 0.18 s a training step.
ENV PATH=/opt/python/bin:/usr/local/bin:/usr/bin:/bin \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility \
    OMP_WAIT_POLICY=passive \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOME=/tmp \
    MPLBACKEND=Agg \
    MPLCONFIGDIR=/tmp/matplotlib

# No program here may raise its rights, even where no-new-privileges were forgotten.
RUN find / -xdev -type f -perm /6000 -exec chmod a-s {} + && install -d -o 65534 -g 65534 /work
WORKDIR /work
USER 65534:65534
CMD ["python3"]
