def show(runner):
    return
