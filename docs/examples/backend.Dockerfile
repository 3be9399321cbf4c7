# A backend that brings the databases up to date before it starts.
#
#   docker build -f docs/examples/backend.Dockerfile -t support-bot-backend .
#
# The base image has to be of dbops' Debian release or a newer one.
ARG BASE_IMAGE=python:3.13-slim-bookworm
FROM ${BASE_IMAGE}
COPY --from=support-bot-dbops /usr/local/bin/dbops /usr/local/bin/migrate-first /usr/local/bin/
COPY --from=support-bot-dbops /srv/config /srv/config
WORKDIR /srv
ENTRYPOINT ["migrate-first"]
# In place of the application.
CMD ["sleep", "infinity"]
