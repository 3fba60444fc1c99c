"""`manage.py up`: starts every process of pirunner, watches them, and stops them together.

One parent loads Django, Celery and the job types once and forks the processes, so that they share that
memory. The parent itself stays free of threads, sockets and database connections: it only reads its
children's output, waits for them, and starts again what ended.
"""
