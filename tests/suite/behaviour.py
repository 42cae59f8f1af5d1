def jobs(runner):
    return []
