# SPDX-License-Identifier: MIT
"""A small SVG writer. Colours are classes, so that one picture is readable in light, in dark and on paper.

The classes stand in a <style> inside each file and, once, in the HTML page. What they name:
  bg t m g a     background, text, muted text, grid line, axis
  w-NAME         colour of a way to be virtualised: native, pvh, pv, other (fill); l-NAME the same as a line
  kN             the Nth of a row of colours for kinds and phases, with text that is readable on it: kt-N
The colours of worlds are told apart by everybody who sees colours in an unusual way, and differ in shape too."""
from xml.sax.saxutils import escape

KINDS = ('#4477aa', '#88ccee', '#44aa99', '#117733', '#999933', '#ddcc77', '#cc6677', '#882255', '#aa4499', '#8c8c8c',
         '#6a5acd', '#e39a4f', '#2f6f73')
LIGHT = {'bg': '#ffffff', 't': '#1b1f24', 'm': '#57606a', 'g': '#d8dee4', 'a': '#8c959f',
         'native': '#1f6fbf', 'pvh': '#0b7f5a', 'pv': '#c2520b', 'other': '#7a4fb5'}
DARK = {'bg': '#15181d', 't': '#e6edf3', 'm': '#9aa7b4', 'g': '#30363d', 'a': '#6e7681',
        'native': '#6cb0f5', 'pvh': '#4fd1a1', 'pv': '#ff9a57', 'other': '#c3a0f0'}
MARGIN = 14
FONT = "'DejaVu Sans', Verdana, 'Segoe UI', sans-serif"
# Width of a character of that font, as a part of its size: on average, and of the narrow and wide ones.
WIDTHS = {**dict.fromkeys("iljI|.,:;'!", 0.32), **dict.fromkeys(' ftr()[]-/', 0.4), **dict.fromkeys('mwMW@%', 0.92),
          **dict.fromkeys('ABCDEGHKNOPQRSUVXYZ', 0.7)}


def text_width(text, size):
    return sum(WIDTHS.get(character, 0.615) for character in text) * size


def _luminance(colour):
    parts = [int(colour[at:at + 2], 16) / 255 for at in (1, 3, 5)]
    parts = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def contrast(one, other):
    """Contrast of two colours as WCAG defines it: from 1 to 21."""
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def on(colour):
    """Black or white: which is better read on this colour."""
    return max(('#000000', '#ffffff'), key=lambda ink: contrast(colour, ink))


def _theme(colours):
    rules = [f'.bg{{fill:{colours["bg"]}}}.t{{fill:{colours["t"]}}}.m{{fill:{colours["m"]}}}',
             f'.g{{stroke:{colours["g"]}}}.a{{stroke:{colours["a"]}}}.sep{{stroke:{colours["bg"]}}}']
    for name in ('native', 'pvh', 'pv', 'other'):
        rules.append(f'.w-{name}{{fill:{colours[name]}}}.l-{name}{{stroke:{colours[name]}}}'
                     f'.o-{name}{{stroke:{colours[name]};fill:{colours["bg"]}}}')
    return ''.join(rules)


def style():
    """The rules of all classes."""
    kinds = ''.join(f'.k{n}{{fill:{colour}}}.kt{n}{{fill:{on(colour)}}}' for n, colour in enumerate(KINDS))
    return (f'svg text{{font-family:{FONT}}}' + _theme(LIGHT) + kinds
            + f'@media (prefers-color-scheme: dark){{{_theme(DARK)}}}'
            + f'@media print{{{_theme(LIGHT)}}}')


class Canvas:
    """A picture that grows downwards; its height is known when it is finished."""

    def __init__(self, width, title):
        self.width, self.height, self.title = width, 0, title
        self.caption = ''  # in the file only: a page says it in its own way
        self.parts = []

    def _add(self, name, title=None, **attributes):
        words = ' '.join(f'{key.rstrip("_").replace("_", "-")}="{_value(value)}"' for key, value in attributes.items()
                         if value is not None)
        self.parts.append(f'<{name} {words}><title>{escape(title)}</title></{name}>' if title
                          else f'<{name} {words}/>')

    def reach(self, y):
        self.height = max(self.height, y)

    def rect(self, x, y, width, height, class_, title=None, **more):
        self.reach(y + height)
        self._add('rect', title, x=x, y=y, width=max(width, 0), height=height, class_=class_, **more)

    def line(self, x1, y1, x2, y2, class_, width=1, dash=None):
        self.reach(max(y1, y2))
        self._add('line', x1=x1, y1=y1, x2=x2, y2=y2, class_=class_, stroke_width=width, stroke_dasharray=dash)

    def text(self, x, y, text, class_='t', size=12, anchor='start', weight=None):
        """One line of text; y is its base line. `anchor`: start, middle or end."""
        self.reach(y + size * 0.3)
        words = f'x="{_value(x)}" y="{_value(y)}" class="{class_}" font-size="{_value(size)}"'
        if anchor != 'start':
            words += f' text-anchor="{anchor}"'
        if weight:
            words += f' font-weight="{weight}"'
        self.parts.append(f'<text {words}>{escape(text)}</text>')

    def lines(self, x, y, text, width, class_='m', size=11, leading=15):
        """Text over several lines, as wide as said; returns the base line after it."""
        line = ''
        for word in text.split():
            if line and text_width(f'{line} {word}', size) > width:
                self.text(x, y, line, class_, size)
                y += leading
                line = word
            else:
                line = f'{line} {word}'.strip()
        self.text(x, y, line, class_, size)
        return y + leading

    def polygon(self, points, class_, title=None, **more):
        self._add('polygon', title, points=' '.join(f'{_value(x)},{_value(y)}' for x, y in points), class_=class_, **more)

    def marker(self, x, y, shape, place, title=None, size=4.5):
        """A world's sign: its colour says how it is virtualised, its shape what runs there."""
        if shape == 'circle':
            self._add('circle', title, cx=x, cy=y, r=size, class_=f'w-{place}')
        elif shape == 'square':
            self._add('rect', title, x=x - size + 0.75, y=y - size + 0.75, width=2 * size - 1.5, height=2 * size - 1.5,
                      class_=f'o-{place}', stroke_width=1.8)
        else:
            points = [(x, y - size - 1), (x + size + 1, y), (x, y + size + 1), (x - size - 1, y)]
            self.polygon(points, f'o-{place}', title, stroke_width=1.8)

    def _svg(self, attributes, before):
        box = f'{-MARGIN} {-MARGIN} {_value(self.width + 2 * MARGIN)} {_value(self.height + 2 * MARGIN)}'
        return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}" role="img" '
                f'aria-label="{escape(self.title, {chr(34): "&quot;"})}"{attributes}>{before}\n'
                + '\n'.join(self.parts) + '\n</svg>\n')

    def file(self):
        """As a file of its own."""
        parts, height = list(self.parts), self.height
        self.lines(0, self.height + 16, self.caption, self.width, 'm', 10.5, 14)
        size = f' width="{_value(self.width + 2 * MARGIN)}" height="{_value(self.height + 2 * MARGIN)}"'
        whole = self._svg(size, f'<style>{style()}</style><rect x="{-MARGIN}" y="{-MARGIN}" class="bg" width="100%" '
                                'height="100%"/>')
        self.parts, self.height = parts, height
        return whole

    def inline(self):
        """As a part of a page that has the style."""
        return self._svg('', '')


def _value(value):
    return f'{value:.1f}'.rstrip('0').rstrip('.') if isinstance(value, float) else str(value)
