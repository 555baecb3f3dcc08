"""How gunicorn serves the pages and the API; given explicitly with -c, never found by its name."""

from __future__ import annotations

import os

bind = f"{os.environ.get('HOST', '127.0.0.1')}:{os.environ.get('PORT', '8000')}"
worker_class = "gthread"
workers = int(os.environ.get("WEB_CONCURRENCY") or min(4, os.cpu_count() or 1))
threads = 4
# The application is built once and the workers share its memory; it opens no connection while it is built.
preload_app = True
# A worker's heartbeat is a file: kept in memory where possible, lest a slow disk look like a hung worker.
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None
timeout = 60
graceful_timeout = 10
keepalive = 5
# A long page of form fields is normal here, a longer address line is not.
limit_request_line = 8190
control_socket_disable = True
loglevel = os.environ.get("LOG_LEVEL", "warning").lower()
accesslog = "-" if os.environ.get("ACCESS_LOG") == "1" else None
errorlog = "-"
proc_name = "cuohe-web"
