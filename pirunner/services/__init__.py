"""`manage.py install_services`: pirunner's own services for systemd, rendered, installed and taken away again."""
