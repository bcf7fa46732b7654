# One image for hubs, nodes and sites: docker build -t godwit .
# Sites run playbooks: docker build --build-arg PACKAGES="ansible-core openssh-client sshpass" -t godwit .
FROM node:24.21.0-bookworm-slim
ARG PACKAGES=""
# An init in front: playbooks outlive whoever began them, and somebody has to take leave of them.
RUN apt-get update && apt-get install -y --no-install-recommends tini $PACKAGES && rm -rf /var/lib/apt/lists/*
WORKDIR /opt/godwit
COPY package.json package-lock.json ./
COPY packages packages
RUN npm ci --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund
USER 65532:65532
# In the environment, so that a manifest can say otherwise.
ENV NODE_OPTIONS=--max-semi-space-size=8
ENTRYPOINT ["tini", "--", "node", "packages/cli/bin/godwit.mjs"]
