# The dashboard as one image: gunicorn as user 10001, on a read-only root file system. It writes only to /data (SQLite,
# collected static files), /tmp (files on their way) and RUNTIME_DIRECTORY (metrics), and holds no secrets. compose.yaml
# runs it.
#
# The tag follows Python's and Debian's security updates: rebuild with `--pull` to get them. To get the same files
# again, name the digest instead (docs/operate.md, "Pin the images").
FROM python:3.13-slim-trixie AS build
WORKDIR /app
COPY requirements.txt .
RUN python -m venv /venv \
 && /venv/bin/pip install --no-cache-dir --no-compile --disable-pip-version-check \
    --only-binary=:all: --require-hashes --no-deps -r requirements.txt
COPY . .
# Bytecode is compiled here, because nothing can write it later, and without timestamps, so that every build makes the
# same files. -f compiles again what running pybabel has just written, with timestamps.
RUN /venv/bin/pybabel -q compile --domain django --directory locale \
 && python -m compileall -q -f --invalidation-mode unchecked-hash /venv/lib /app \
 && /venv/bin/pip uninstall -q -y pip

FROM python:3.13-slim-trixie
ENV PATH=/venv/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 DATA_DIR=/data
RUN groupadd --gid 10001 dashboard \
 && useradd --uid 10001 --gid dashboard --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin dashboard \
 && install -d -o dashboard -g dashboard -m 0700 /data
COPY --from=build /venv /venv
COPY --from=build /app /app
WORKDIR /app
USER 10001:10001
EXPOSE 8000
# http.client, because urllib would use a proxy that the container's environment names.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s CMD ["python", "-c", "\
import http.client, sys; \
c = http.client.HTTPConnection('127.0.0.1', 8000, timeout=4); \
c.request('GET', '/healthz'); \
sys.exit(c.getresponse().status != 200)"]
CMD ["gunicorn", "hostup_dashboard.wsgi", "--bind", "0.0.0.0:8000"]
