"""The source of the answers is written to break out of the page that shows it: closing tags, comments, template marks.

Highlighters escape code, and exporters that paste it into a script tag or a template do not. Here a source is a source
on every page, and the honest answer with such a comment has its points.
"""

from tests.grading.attacks import RIGHT, Attack, answers

COMMENT = """
# </code></pre></script><script>alert('XSS')</script> {{ 7 * 7 }} {% raw %} ${alert(1)} <!-- --> ]]>
EVIL = "</textarea><img src=x onerror=alert('XSS')>"
"""
ATTACK = Attack(cells=answers(initial_loss=COMMENT + RIGHT["initial_loss"], log_softmax=COMMENT + "log_softmax = 0"))
