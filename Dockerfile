# The server in a small image. It runs as user 1000 and stores its data in /data. Any other user id with write access to the volume
# works, too: group 0 for a volume that Docker creates, or fsGroup in Kubernetes.
#
# With DATABASE_URL it uses that PostgreSQL server, and SHOAL_SECRET_KEY must be set. Otherwise it runs its own PostgreSQL and needs a
# volume at /data. Run it with --init, so that ended processes are reaped.

FROM node:24-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev

# The dashboard and the widget. Their build needs the development dependencies; the image does not.
FROM node:24-slim AS pages
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci
COPY build ./build
COPY dashboard ./dashboard
COPY widget ./widget
COPY src ./src
COPY tsconfig.json ./
RUN npm run build

FROM node:24-slim
# initdb needs the name of its user. The library provides one for a user id without a name.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libnss-wrapper \
    && rm -rf /var/lib/apt/lists/*
# The image has its own Node. The package `node` is a development dependency, and is not installed.
ENV NODE_ENV=production \
    SHOAL_HOST=0.0.0.0 \
    SHOAL_PORT=8080 \
    SHOAL_WORKER_PORT=8081 \
    SHOAL_DATA=/data
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
COPY package.json LICENSE ./
COPY bin ./bin
COPY contracts ./contracts
COPY sql ./sql
COPY src ./src
COPY simulator ./simulator
COPY --from=pages /app/dist ./dist
# The command `shoal`. A new volume at /data inherits the owner and mode of this folder.
RUN printf '#!/bin/sh\nexec node --max-semi-space-size=8 /app/bin/shoal.js "$@"\n' > /usr/local/bin/shoal \
    && chmod 755 /usr/local/bin/shoal \
    && install --directory --owner=1000 --group=0 --mode=770 /data \
    && install --directory --owner=1000 --group=0 node_modules/.cache/shoal
USER 1000
# Fills the cache of compiled code, which makes commands more than twice as fast.
RUN SHOAL_DATA=/tmp/shoal shoal bot list && rm -rf /tmp/shoal
EXPOSE 8080 8081
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --retries=3 \
    CMD ["node", "-e", "const { SHOAL_ROLE, SHOAL_PORT, SHOAL_WORKER_PORT } = process.env; fetch(`http://127.0.0.1:${SHOAL_ROLE === 'worker' ? SHOAL_WORKER_PORT : SHOAL_PORT}/healthz`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "--max-semi-space-size=8", "/app/bin/shoal.js"]
CMD ["serve"]
