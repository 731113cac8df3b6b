"""How an operation becomes a method of a client, with its signature and words."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar, overload

from catchment.client.session import Part
from catchment.client.steps import Steps

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")
U = TypeVar("U")


class Method(Generic[P, R]):
    """Performs an operation on the part of a client that it is asked of.

    `R` is what the operation comes to, or for a part that is awaited, what is awaited for it.
    """

    def __init__(self, operation: Callable[..., Steps[Any]], made: Callable[[Any, Any], Any] | None) -> None:
        self._operation = operation
        self._made = made
        self.__doc__ = operation.__doc__
        self.__wrapped__ = operation

    @overload
    def __get__(self, part: None, owner: type) -> Method[P, R]: ...
    @overload
    def __get__(self, part: Part, owner: type) -> Callable[P, R]: ...
    def __get__(self, part: Part | None, owner: type) -> Any:
        """Return the method of one part."""
        if part is None:
            return self

        def method(*args: P.args, **kwargs: P.kwargs) -> Any:
            return part.perform(self._operation(part, *args, **kwargs), self._made)

        method.__name__, method.__doc__ = self._operation.__name__, self.__doc__
        return method


@overload
def blocking(operation: Callable[Concatenate[Any, P], Steps[T]]) -> Method[P, T]: ...
@overload
def blocking(
    operation: Callable[Concatenate[Any, P], Steps[T]], made: Callable[[Any, T], U]
) -> Method[P, U]: ...
def blocking(operation: Any, made: Any = None) -> Any:
    """Make a method of a part that blocks; `made` turns its result into what the method returns."""
    return Method(operation, made)


@overload
def awaited(operation: Callable[Concatenate[Any, P], Steps[T]]) -> Method[P, Coroutine[Any, Any, T]]: ...
@overload
def awaited(
    operation: Callable[Concatenate[Any, P], Steps[T]], made: Callable[[Any, T], U]
) -> Method[P, Coroutine[Any, Any, U]]: ...
def awaited(operation: Any, made: Any = None) -> Any:
    """Make a method of a part that is awaited; `made` turns its result into what the method returns."""
    return Method(operation, made)
