# Stands in for the official python and node images where no registry of images can be reached: Debian, and this machine's
# interpreters and certificates. podman.py builds it and gives the folders by name, which the linter takes for stages.
# hadolint global ignore=DL3006,DL3022
FROM localhost/debian
COPY --from=python . /usr/local/
COPY --from=node node /usr/local/bin/
COPY --from=npm . /usr/local/lib/node_modules/npm/
COPY --from=certificates ca-certificates.crt /etc/ssl/certs/
# The scripts of a copied interpreter name the place that it was copied from.
RUN ldconfig \
    && ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm \
    && sed -i '1s|.*|#!/usr/local/bin/python|' /usr/local/bin/pip
ENV NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt \
    PIP_CERT=/etc/ssl/certs/ca-certificates.crt
