# The server in a small image. It runs as the user `node` and keeps its data, if any, in /data.
#
# With DATABASE_URL it uses that PostgreSQL, and SHOAL_SECRET_KEY should be set. Without, it runs its own PostgreSQL and needs
# a volume at /data, which only one container may use at a time. Run it with --init, so that ended processes are reaped.

FROM node:24-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev

# What browsers are given: built with the development dependencies, which stay behind.
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
# The image's own Node serves; the package `node` is a development dependency and not in here.
ENV NODE_ENV=production \
    SHOAL_HOST=0.0.0.0 \
    SHOAL_PORT=8080 \
    SHOAL_DATA=/data
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
COPY package.json ./
COPY bin ./bin
COPY contracts ./contracts
COPY sql ./sql
COPY src ./src
COPY --from=pages /app/dist ./dist
# `shoal …` in the container; a new volume at /data takes over this folder's owner and mode.
RUN printf '#!/bin/sh\nexec node /app/bin/shoal.js "$@"\n' > /usr/local/bin/shoal \
    && chmod 755 /usr/local/bin/shoal \
    && install --directory --owner=node --group=node --mode=700 /data
USER node
EXPOSE 8080
STOPSIGNAL SIGTERM
# A process with SHOAL_ROLE=worker listens nowhere: start it with --no-healthcheck.
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --retries=3 \
    CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.SHOAL_PORT}/healthz`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "--max-semi-space-size=8", "/app/bin/shoal.js"]
CMD ["serve"]
