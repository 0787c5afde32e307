# SPDX-License-Identifier: Apache-2.0
"""Log-log charts as SVG, with nothing but the standard library.

  write("pollers.svg", "Title", "what x is", "what y is",
        [Series("epoll", [(10, 900), (100, 905)], kind=OURS), ...])

Our lines are thick, those of the bare mechanisms dashed, all others thin. A
figure that is not a result (figures.py) is a hollow mark.
"""

import math
from dataclasses import dataclass
from xml.sax.saxutils import escape

OURS, PEER, RAW = "ours", "peer", "raw"

# Told apart by people who see few colours, too (Okabe and Ito).
_COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9",
            "#000000", "#8c6d1f"]
_MARKS = ["circle", "square", "triangle", "diamond"]
_STROKE = {OURS: 'stroke-width="2.6"', PEER: 'stroke-width="1.3"',
           RAW: 'stroke-width="1.3" stroke-dasharray="5 4"'}

_WIDTH, _HEIGHT = 960, 540
_LEFT, _RIGHT, _TOP, _BOTTOM = 84, 250, 56, 64
_FONT = 'font-family="DejaVu Sans, Helvetica, Arial, sans-serif"'


@dataclass
class Series:
  name: str
  points: list  # (x, y) or (x, y, whether it is a result)
  kind: str = PEER


class _Axis:
  """From values to pixels, over whole decades or the part of one."""

  def __init__(self, values, at_start, at_end, upright):
    self.values, self.upright = sorted(set(values)), upright
    low, high = math.log10(min(values)), math.log10(max(values))
    # Room around the outermost points, and at least half a decade.
    pad = max(0.04 * (high - low), (0.5 - (high - low)) / 2, 0.04)
    self.low, self.high = low - pad, high + pad
    self.start, self.end = at_start, at_end

  def at(self, value):
    part = (math.log10(value) - self.low) / (self.high - self.low)
    return self.start + part * (self.end - self.start)

  def ticks(self):
    """Labelled ones, then those between."""
    decades = range(math.floor(self.low), math.ceil(self.high) + 1)
    inside = lambda v: self.low <= math.log10(v) <= self.high
    ones = [10.0**d for d in decades if inside(10.0**d)]
    steps = [m * 10.0**d for d in decades for m in range(2, 10)]
    between = [v for v in steps if inside(v)]
    if len(ones) >= 2:
      return ones, between
    # Less than that: where the points are, or as many as there is room for.
    labels = self.values if len(self.values) <= 6 and not self.upright else [
        v for v in ones + between
        if len(between) <= 7 or f"{v:e}"[0] in ("1", "2", "5")]
    return sorted(labels), [v for v in between if v not in labels]


def short(value):
  """1000000 is 1 M, 0.000001 is 1e-06."""
  for size, name in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
    if value >= size:
      return f"{value / size:.4g}{name}"
  return f"{value:.6g}"


def _mark(shape, x, y, colour, solid):
  fill = colour if solid else "#ffffff"
  style = f'fill="{fill}" stroke="{colour}" stroke-width="1.3"'
  if shape == "circle":
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.6" {style}/>'
  around = {
      "square": [(-3.3, -3.3), (3.3, -3.3), (3.3, 3.3), (-3.3, 3.3)],
      "triangle": [(0, -4.4), (4.2, 3.3), (-4.2, 3.3)],
      "diamond": [(0, -4.8), (4.4, 0), (0, 4.8), (-4.4, 0)],
  }[shape]
  points = " ".join(f"{x + dx:.1f},{y + dy:.1f}" for dx, dy in around)
  return f'<polygon points="{points}" {style}/>'


def _text(x, y, text, anchor="start", size=13, extra=""):
  return (f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" '
          f'text-anchor="{anchor}" {extra}>{escape(text)}</text>')


def _style(series):
  """A colour and a mark for each; the bare mechanisms have colours of their own
  kind of line, so that they may share them."""
  styles = {}
  for kind in (OURS, PEER, RAW):
    of_kind = [s for s in series if s.kind == kind]
    shift = {OURS: 0, PEER: 2, RAW: 4}[kind]
    for i, s in enumerate(of_kind):
      styles[s.name] = (_COLOURS[(i + shift) % len(_COLOURS)],
                        _MARKS[(i + shift) % len(_MARKS)])
  return styles


def _frame(x_axis, y_axis, title, x_label, y_label, note):
  top, bottom = _TOP, _HEIGHT - _BOTTOM
  right = _WIDTH - _RIGHT
  out = [_text(_LEFT, 26, title, size=17, extra='font-weight="bold"')]
  if note:
    out.append(_text(_LEFT, 45, note, size=12, extra='fill="#555555"'))
  for axis, across in ((x_axis, False), (y_axis, True)):
    labelled, between = axis.ticks()
    for value in between + labelled:
      at = axis.at(value)
      colour = "#c8c8c8" if value in labelled else "#eeeeee"
      line = (_LEFT, at, right, at) if across else (at, top, at, bottom)
      out.append('<line x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}" '
                 'stroke="{}"/>'.format(*line, colour))
    for value in labelled:
      at = axis.at(value)
      out.append(_text(_LEFT - 8, at + 4, short(value), "end") if across else
                 _text(at, bottom + 20, short(value), "middle"))
  out.append(f'<rect x="{_LEFT}" y="{top}" width="{right - _LEFT}" '
             f'height="{bottom - top}" fill="none" stroke="#666666"/>')
  out.append(_text((_LEFT + right) / 2, _HEIGHT - 20, x_label, "middle"))
  out.append(_text(0, 0, y_label, "middle",
                   extra=f'transform="translate(20 {(top + bottom) / 2}) '
                   f'rotate(-90)"'))
  return out


def draw(title, x_label, y_label, series, note=""):
  """The text of the SVG."""
  series = [Series(s.name, sorted(tuple(p) for p in s.points
                                  if p[0] > 0 and p[1] > 0), s.kind)
            for s in series]
  series = [s for s in series if s.points]
  if not series:
    raise ValueError(f"nothing to draw in '{title}'")
  right, bottom = _WIDTH - _RIGHT, _HEIGHT - _BOTTOM
  x_axis = _Axis([p[0] for s in series for p in s.points], _LEFT, right,
                 upright=False)
  y_axis = _Axis([p[1] for s in series for p in s.points], bottom, _TOP,
                 upright=True)
  out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} '
         f'{_HEIGHT}" width="{_WIDTH}" height="{_HEIGHT}" {_FONT}>',
         f"<title>{escape(title)}</title>",
         f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#ffffff"/>']
  if any(len(p) > 2 and not p[2] for s in series for p in s.points):
    note = (note + "; " if note else "") + "hollow: no result"
  out += _frame(x_axis, y_axis, title, x_label, y_label, note)
  styles = _style(series)
  # Ours on top.
  for s in sorted(series, key=lambda s: s.kind == OURS):
    colour, mark = styles[s.name]
    path = " ".join(f"{x_axis.at(p[0]):.1f},{y_axis.at(p[1]):.1f}"
                    for p in s.points)
    out.append(f'<polyline points="{path}" fill="none" stroke="{colour}" '
               f'{_STROKE[s.kind]}/>')
    for p in s.points:
      out.append(_mark(mark, x_axis.at(p[0]), y_axis.at(p[1]), colour,
                       len(p) < 3 or p[2]))
  y = _TOP + 8
  # In the order in which the lines end, so that the eye finds them.
  for s in sorted(series, key=lambda s: -s.points[-1][1]):
    colour, mark = styles[s.name]
    x = right + 18
    out.append(f'<line x1="{x}" y1="{y}" x2="{x + 30}" y2="{y}" '
               f'stroke="{colour}" {_STROKE[s.kind]}/>')
    out.append(_mark(mark, x + 15, y, colour, True))
    out.append(_text(x + 38, y + 4, s.name, size=12,
                     extra='font-weight="bold"' if s.kind == OURS else ""))
    y += 20
  return "\n".join(out + ["</svg>"]) + "\n"


def write(path, *arguments, **named):
  with open(path, "w", encoding="utf-8") as f:
    f.write(draw(*arguments, **named))
