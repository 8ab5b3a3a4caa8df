#!/bin/bash
# After each end of the worker. systemd says how it was in SERVICE_RESULT: `success` where nothing is left to do,
# `timeout` where it was up for too long; every other one is a crash, after which systemd starts it again.
set -euo pipefail

case ${SERVICE_RESULT:?} in
  success | timeout) systemctl poweroff ;;
  *) echo "the worker crashed: $SERVICE_RESULT ${EXIT_CODE:-} ${EXIT_STATUS:-}" ;;
esac
