from experta import Fact

class Token:
    @classmethod
    def valid(cls, data: Fact) -> Token: ...
