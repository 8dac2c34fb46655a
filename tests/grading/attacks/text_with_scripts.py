"""Markdown cells of the learner's own, and changed ones of the lesson, hold scripts, frames, forms, styles and links.

They are shown beside the answer when it is read by hand. A style alone can cover the page with a wrong score, and a
form can send one. Here a learner's words are shown as they were typed.
"""

from tests.grading.attacks import Attack, answers, markdown

EVIL = """
<script>alert('XSS')</script><img src=x onerror="alert('XSS')"><svg onload=alert('XSS')></svg>
<iframe src="javascript:alert('XSS')"></iframe><math><mtext></mtext></math>
<style>.score { display: none } body::before { content: "100 / 100" }</style>
<form action="/formgrader/api/grade/1" method="post"><input name="manual_score" value="100"></form>
[link](javascript:alert('XSS')) ![x](https://example.org/pixel.png?who=instructor) <javascript:alert('XSS')>
$$\\href{javascript:alert('XSS')}{x} \\style{position:fixed}{x}$$
```html
</pre><script>alert('XSS')</script>
```
"""


def _edit(book):
    for cell in book["cells"]:
        if cell["cell_type"] == "markdown":
            cell["source"] += EVIL
            cell["attachments"] = {"x.svg": {"image/svg+xml": "PHN2ZyBvbmxvYWQ9YWxlcnQoMSk+PC9zdmc+"}}
    book["cells"].append(markdown(EVIL + "![x](attachment:x.svg)", id="evil"))
    return book


ATTACK = Attack(cells=answers(), edit=_edit)
