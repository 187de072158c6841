from collections import OrderedDict

from experta import Fact

class FactList(OrderedDict[int, Fact]):
    def declare(self, fact: Fact) -> Fact: ...
