# /// attack
# kind = "Objects that lie"
# what = "numbers that equal every number"
# needs = []
# ///


class Number(float):
    def __eq__(self, other):
        return True

    def __lt__(self, other):
        return True

    __le__ = __gt__ = __ge__ = __lt__
    __hash__ = float.__hash__

    def __sub__(self, other):
        return self

    __rsub__ = __add__ = __radd__ = __sub__

    def __abs__(self):
        return 0.0


_replace(lambda *args: Number(0.0))
