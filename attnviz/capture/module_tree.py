"""Which modules of a network lie inside which."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from torch import nn


class ModuleTree:
    """The modules of a network, as ``dict(network.named_modules())`` gives them, and how they lie in each
    other. The network itself, whose path is "", holds all others."""

    def __init__(self, modules: dict[str, nn.Module]) -> None:
        self._modules = modules
        self._paths = {module: path for path, module in modules.items()}

    def __contains__(self, module: nn.Module) -> bool:
        return module in self._paths

    def path(self, module: nn.Module) -> str:
        """Where a module stands, such as ``layer3.1.attention``."""
        return self._paths[module]

    def name(self, module: nn.Module) -> str:
        """Its path; of the network itself, its class."""
        return self._paths[module] or type(module).__name__

    def ancestors(self, module: nn.Module) -> list[nn.Module]:
        """The modules that a module lies inside, the network first."""
        path = self._paths[module]
        if not path:
            return []
        ends = [end for end, letter in enumerate(path) if letter == "."]
        return [self._modules[""], *(self._modules[path[:end]] for end in ends)]

    def is_within(self, module: nn.Module, others: Collection[nn.Module]) -> bool:
        """Whether a module is one of the others, or lies inside one."""
        return module in others or any(ancestor in others for ancestor in self.ancestors(module))

    def inside(self, outer: nn.Module, modules: Iterable[nn.Module]) -> list[nn.Module]:
        """Those of the modules that lie inside another one."""
        return [module for module in modules if outer in self.ancestors(module)]

    def outermost(self, modules: Collection[nn.Module]) -> list[nn.Module]:
        """Those of the modules that lie inside none of the others."""
        return [module for module in modules if not any(above in modules for above in self.ancestors(module))]
