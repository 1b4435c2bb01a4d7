# The server in a small image. It runs as user 1000 and keeps its data, if any, in /data. Any other user id works, too, if it may
# write to the volume: group 0 of a volume that Docker makes, or fsGroup in Kubernetes.
#
# With DATABASE_URL it uses that PostgreSQL, and SHOAL_SECRET_KEY must be set. Without, it runs its own PostgreSQL and needs
# a volume at /data. Run it with --init, so that ended processes are reaped.

FROM node:24-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev

# The browser's side. Its build needs the development dependencies; the image does not.
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
# initdb asks for the name of its user; the library provides one for a user id without a name.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libnss-wrapper \
    && rm -rf /var/lib/apt/lists/*
# The image's own Node serves; the package `node` is a development dependency and not in here.
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
# `shoal …` in the container; a new volume at /data takes over this folder's owner and mode.
RUN printf '#!/bin/sh\nexec node --max-semi-space-size=8 /app/bin/shoal.js "$@"\n' > /usr/local/bin/shoal \
    && chmod 755 /usr/local/bin/shoal \
    && install --directory --owner=1000 --group=0 --mode=770 /data \
    && install --directory --owner=1000 --group=0 node_modules/.cache/shoal
USER 1000
# Fills the cache of compiled code, with which a command takes less than half of the time.
RUN SHOAL_DATA=/tmp/shoal shoal bot list && rm -rf /tmp/shoal
EXPOSE 8080 8081
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --retries=3 \
    CMD ["node", "-e", "const { SHOAL_ROLE, SHOAL_PORT, SHOAL_WORKER_PORT } = process.env; fetch(`http://127.0.0.1:${SHOAL_ROLE === 'worker' ? SHOAL_WORKER_PORT : SHOAL_PORT}/healthz`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "--max-semi-space-size=8", "/app/bin/shoal.js"]
CMD ["serve"]
