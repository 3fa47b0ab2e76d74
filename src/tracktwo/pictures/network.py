"""Networks: items as circles, lines between those that belong together; no circle or label on another."""

import cmath
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from tracktwo.pictures.labels import GAP, Row, key, text_width, wrapped
from tracktwo.view import Value

_WIDTH = 960.0
_LETTERS = 12.5  # the height of those of labels
_NODES = 150
_EDGES = 1500
_LABEL = 24  # letters of a line of one
_LABEL_LINES = 3
_LINE = 14.0  # from one to the next
_THINNEST, _THICKEST = 1.0, 6.0  # lines
_PUSHES = 400_000  # of one node by another, over all rounds
_TOUCH = 0.01  # boxes that overlap by less only touch
_TURN = 2.399963  # the golden angle: points at its multiples never line up

Links = Mapping[tuple[str, str], float]
Size = tuple[float, float]


@dataclass(frozen=True)
class Node:
    """An item: the centre of its circle, the lines of the label below that, and how many others it is linked with."""

    item: Value
    label: tuple[str, ...]
    radius: float
    links: int
    x: float = 0
    y: float = 0

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom of circle and label together."""
        half = max(self.radius, *(text_width(line, _LETTERS) / 2 for line in self.label))
        return self.x - half, self.y - self.radius, self.x + half, self.y + self.radius + _LINE * len(self.label) + 4

    @property
    def lines(self) -> tuple[tuple[float, str], ...]:
        """The lines of the label, each with where it stands."""
        top = self.y + self.radius + _LETTERS
        return tuple((round(top + _LINE * number, 1), line) for number, line in enumerate(self.label))

    @property
    def size(self) -> Size:
        """Width and height with what is kept free around it."""
        left, top, right, bottom = self.box
        return right - left + GAP, bottom - top + GAP


@dataclass(frozen=True)
class Edge:
    """A line between two nodes, the thicker the more it weighs."""

    ends: tuple[Node, Node]
    weight: float
    width: float


@dataclass(frozen=True)
class Network:
    """The best linked nodes, `shown` of `total`, and of the `links` those between them that weigh most."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    height: float
    shown: int
    total: int
    links: int
    width: float = _WIDTH
    kind: str = "network"


def network(rows: Sequence[Row], _: int) -> Network:
    """The network of what rows name as `one` and `other`; the `weight`s of rows on the same two add up."""
    items, weights = _links(rows)
    degrees = _degrees(weights)
    best = sorted(items, key=lambda item: -degrees.get(item, 0))[:_NODES]
    kept = {ends: weight for ends, weight in weights.items() if set(ends) <= set(best)}
    strongest = dict(sorted(kept.items(), key=lambda link: (-link[1], link[0]))[:_EDGES])
    nodes, height = _placed({item: items[item] for item in best}, strongest)
    heaviest = max(strongest.values(), default=1)
    thickest = (
        _THICKEST if len(set(strongest.values())) > 1 else _THINNEST
    )  # of links that weigh the same none stands out
    edges = tuple(
        Edge((nodes[one], nodes[other]), weight, round(max(_THINNEST, thickest * weight / heaviest), 1))
        for (one, other), weight in reversed(strongest.items())
    )
    return Network(tuple(nodes.values()), edges, height, len(nodes), len(items), len(weights))


def _links(rows: Sequence[Row]) -> tuple[dict[str, Value], dict[tuple[str, str], float]]:
    """The items, and what the link of each two that are linked weighs."""
    items: dict[str, Value] = {}
    weights: dict[tuple[str, str], float] = {}
    for row in rows:
        ends = {key(row[name]): row[name] for name in ("one", "other") if name in row}
        items = {**ends, **items} if not items.keys() >= ends.keys() else items
        if len(ends) == 2:
            one, other = sorted(ends)
            weights[one, other] = weights.get((one, other), 0) + _weight(row)
    return items, weights


def _weight(row: Row) -> float:
    """The weight of a row's link: 1 where it has none that is a positive number."""
    try:
        weight = float(row["weight"].text) if "weight" in row else 1
    except ValueError:
        return 1
    return weight if 0 < weight < math.inf else 1


def _degrees(links: Iterable[tuple[str, str]]) -> dict[str, int]:
    found: dict[str, int] = {}
    for ends in links:
        for end in ends:
            found[end] = found.get(end, 0) + 1
    return found


def _placed(items: Mapping[str, Value], links: Links) -> tuple[dict[str, Node], float]:
    """A node for each item, and the height of all: what hangs together is together, the largest such part first."""
    degrees = _degrees(links)
    most = max(degrees.values(), default=1)
    nodes: dict[str, Node] = {}
    left = top = bottom = GAP
    for part in _parts(items, links):
        found = [_node(items[item], degrees.get(item, 0), most) for item in part]
        arranged, width, height = _arranged(found, _within(part, links))
        if left + width > _WIDTH:
            left, top = GAP, bottom
        nodes.update({item: _moved(node, left, top) for item, node in zip(part, arranged, strict=True)})
        left, bottom = left + width + 4 * GAP, max(bottom, top + height + 2 * GAP)
    return nodes, round(bottom, 1)


def _node(item: Value, links: int, most: int) -> Node:
    return Node(item, wrapped(item.text, _LABEL, _LABEL_LINES), round(4 + 8 * math.sqrt(links / most), 1), links)


def _moved(node: Node, x: float, y: float) -> Node:
    return replace(node, x=round(node.x + x, 1), y=round(node.y + y, 1))


def _parts(items: Iterable[str], links: Iterable[tuple[str, str]]) -> list[list[str]]:
    """The items in parts between which there is no link, the largest first."""
    near: dict[str, list[str]] = {item: [] for item in items}
    for one, other in links:
        near[one].append(other)
        near[other].append(one)
    parts: list[list[str]] = []
    seen: set[str] = set()
    for item in near:
        if item not in seen:
            parts.append([item])
            seen.add(item)
            for member in parts[-1]:  # grows
                fresh = [other for other in near[member] if other not in seen]
                parts[-1] += fresh
                seen.update(fresh)
    return sorted(parts, key=len, reverse=True)


def _within(part: Sequence[str], links: Links) -> list[tuple[int, int, float]]:
    """The links of a part, with the places of their ends in it."""
    places = {item: place for place, item in enumerate(part)}
    return [(places[one], places[other], weight) for (one, other), weight in links.items() if one in places]


def _arranged(nodes: Sequence[Node], links: Sequence[tuple[int, int, float]]) -> tuple[list[Node], float, float]:
    """The nodes of a part, none on another, from the corner (0, 0); the width and height that they take."""
    sizes = [node.size for node in nodes]
    width, height = _room(sizes)
    points = _levelled(_spread(len(nodes), links))
    reach = [max(*(abs(part) for part in parts), 1e-9) for parts in _coordinates(points)]
    centres = [
        complex(width / 2 * (1 + point.real / reach[0]), height / 2 * (1 + point.imag / reach[1])) for point in points
    ]
    settled = _settled(_pushed(centres, sizes, width), sizes)
    corners = [point - complex(*size) / 2 for point, size in zip(settled, sizes, strict=True)]
    ends = [corner + complex(*size) for corner, size in zip(corners, sizes, strict=True)]
    left, top = (min(parts) for parts in _coordinates(corners))
    right, bottom = (max(parts) for parts in _coordinates(ends))
    arranged = [
        _moved(node, point.real - left, corner.imag - top + node.radius + GAP / 2)
        for node, point, corner in zip(nodes, settled, corners, strict=True)
    ]
    return arranged, right - left, bottom - top


def _room(sizes: Sequence[Size]) -> Size:
    """A rectangle with room for boxes of these sizes and for the lines between them."""
    widest = max(width for width, _ in sizes)
    area = sum(width * height for width, height in sizes) * (2 if len(sizes) > 1 else 1)
    width = min(max(math.sqrt(2.5 * area), widest), _WIDTH - 2 * GAP)
    return width, area / width


def _coordinates(points: Sequence[complex]) -> tuple[list[float], list[float]]:
    return [point.real for point in points], [point.imag for point in points]


def _spread(count: int, links: Sequence[tuple[int, int, float]]) -> list[complex]:
    """Points around 0 that push each other away while links pull them together (Fruchterman and Reingold, 1991)."""
    points = [cmath.rect(math.sqrt(place + 0.5), _TURN * place) for place in range(count)]
    rounds = min(200, _PUSHES // max(count * (count - 1) // 2, 1))
    for number in range(rounds):
        forces = [-0.02 * point for point in points]
        for one, other in combinations(range(count), 2):
            apart = points[one] - points[other]
            push = apart / max(apart.real**2 + apart.imag**2, 1e-6)
            forces[one] += push
            forces[other] -= push
        for one, other, weight in links:
            apart = points[one] - points[other]
            pull = apart * abs(apart) * min(weight, 4) / 8
            forces[one] -= pull
            forces[other] += pull
        farthest = math.sqrt(count) / 5 * (1 - number / rounds)
        points = [point + _shortened(force, farthest) for point, force in zip(points, forces, strict=True)]
    return points


def _levelled(points: Sequence[complex]) -> list[complex]:
    """The points turned around 0 so that the direction that they extend in most is the horizontal one."""
    squares = sum(point**2 for point in points)
    return [point * cmath.rect(1, -cmath.phase(squares) / 2) for point in points] if squares else list(points)


def _shortened(force: complex, most: float) -> complex:
    return force * min(1, most / max(abs(force), 1e-9))


def _pushed(centres: Sequence[complex], sizes: Sequence[Size], width: float) -> list[complex]:
    """Centres of boxes that lie on each other less than they did, within a width."""
    points = list(centres)
    for _ in range(30):
        for one, other in combinations(range(len(points)), 2):
            push = _overlap(points[other] - points[one], sizes[one], sizes[other]) / 2
            points[one] -= push
            points[other] += push
        points = [
            complex(min(max(point.real, size[0] / 2), width - size[0] / 2), point.imag)
            for point, size in zip(points, sizes, strict=True)
        ]
    return points


def _overlap(apart: complex, one: Size, other: Size) -> complex:
    """How to move the other of two boxes off the first, short for their shape; `apart` joins their centres."""
    wide = (one[0] + other[0]) / 2 - abs(apart.real)
    high = (one[1] + other[1]) / 2 - abs(apart.imag)
    if wide <= _TOUCH or high <= _TOUCH:
        return 0j
    if high / (one[1] + other[1]) < wide / (one[0] + other[0]):
        return complex(0, math.copysign(high, apart.imag))
    return complex(math.copysign(wide, apart.real), 0)


def _settled(centres: Sequence[complex], sizes: Sequence[Size]) -> list[complex]:
    """Centres of boxes of which none lies on another: from the top down, each as far below its place as it must be."""
    found: dict[int, complex] = {}
    for place in sorted(range(len(centres)), key=lambda place: (centres[place].imag, centres[place].real)):
        point = centres[place]
        while below := [
            there.imag + (sizes[place][1] + sizes[other][1]) / 2
            for other, there in found.items()
            if _overlap(point - there, sizes[place], sizes[other])
        ]:
            point = complex(point.real, min(below))
        found[place] = point
    return [found[place] for place in range(len(centres))]
