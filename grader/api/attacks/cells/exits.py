# /// attack
# kind = "No answer at all"
# what = "a process that ends with success when it is called"
# needs = []
# ///

import os

_replace(lambda *args: os._exit(0))
