# One image for the api, the workers and the functions runtime: docker-compose.yml says which of them a container is.
FROM node:26-slim AS dependencies
WORKDIR /tendril
COPY package.json package-lock.json ./
COPY prisma ./prisma
RUN npm ci --omit=dev --no-audit --no-fund

FROM node:26-slim
# What functions are kept in.
RUN apt-get update && apt-get install -y --no-install-recommends bubblewrap && rm -rf /var/lib/apt/lists/*
ENV NODE_ENV=production HOST=0.0.0.0 PORT=4000
WORKDIR /tendril
COPY --from=dependencies /tendril/node_modules ./node_modules
COPY --from=dependencies /tendril/prisma ./prisma
COPY package.json ./
COPY schema ./schema
COPY src ./src
COPY workers ./workers
COPY functions-runtime ./functions-runtime
COPY cli ./cli
# Where the certificates worker writes: a volume takes its owner from here.
RUN install -d -o node -g node -m 700 /certificates
USER node
EXPOSE 4000
CMD ["node", "--no-memory-reducer", "--min-semi-space-size=16", "--invocation-count-for-turbofan=1000", "src/main.ts"]
