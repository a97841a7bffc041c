"""The HTML of the login: one file, nothing from elsewhere, of use without scripts and in light and dark."""

from html import escape

from ui.gate import LOGIN, LOGOUT, source

_STYLE = """
:root { color-scheme: light dark; --ground: #ffffff; --ink: #1b1f24; --quiet: #57606a; --line: #8c959f;
  --act: #1f5fa8; --on-act: #ffffff; --wrong: #a40e26; }
@media (prefers-color-scheme: dark) { :root { --ground: #0e1117; --ink: #f0f3f6; --quiet: #9ea7b3; --line: #6e7681;
  --act: #6cb0f5; --on-act: #0e1117; --wrong: #ff9492; } }
body { margin: 0; min-height: 100vh; display: flex; align-items: center; justify-content: center;
  background: var(--ground); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; }
main { width: min(26rem, 100% - 2rem); }
h1 { font-size: 1.5rem; }
label { display: block; font-weight: 600; }
input { box-sizing: border-box; width: 100%; padding: .6rem; font: inherit; color: inherit; background: transparent;
  border: 1px solid var(--line); border-radius: .4rem; }
button { margin: 1rem 0; padding: .6rem 1.2rem; font: inherit; font-weight: 600; color: var(--on-act);
  background: var(--act); border: 0; border-radius: .4rem; cursor: pointer; }
:focus-visible { outline: 3px solid var(--act); outline-offset: 2px; }
p { color: var(--quiet); }
p[role=alert] { color: var(--wrong); font-weight: 600; }
a { color: var(--act); }
code { font-family: ui-monospace, monospace; }
"""
# What stands behind # is not sent to the server, and so in no log; then it is taken out of the address, too. A link
# from another site comes without the cookie (SameSite=Strict), a request of this page with it: whoever is logged in
# already is led on, and so goes on.
_SCRIPT = """
const fill = () => {
  const token = decodeURIComponent(location.hash.slice(1));
  if (!token) return false;
  document.getElementById("token").value = token;
  history.replaceState(null, "", location.pathname + location.search);
  document.getElementById("enter").focus();
  return true;
};
addEventListener("hashchange", fill);
if (!fill() && !document.querySelector("[role=alert]")) {
  fetch(location.href, { cache: "no-store", redirect: "manual" }).then((answer) => {
    if (answer.type === "opaqueredirect") location.replace(document.getElementById("next").value);
  });
}
"""
POLICY = (
    f"default-src 'none'; img-src data:; style-src {source(_STYLE)}; script-src {source(_SCRIPT)}; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def login_page(wanted: str, said: str = "") -> str:
    """The form; `wanted`: where it leads; `said`: what was wrong with the last token."""
    wrong = f'<p role="alert" id="wrong">{escape(said)}</p>' if said else ""
    told = ' aria-invalid="true" aria-describedby="wrong help"' if said else ' aria-describedby="help"'
    form = f"""<h1>Log in to Organon</h1>
{wrong}<form method="post" action="{LOGIN}">
<input type="hidden" name="next" id="next" value="{escape(wanted)}">
<label for="token">Token</label>
<input id="token" name="token" type="password" required autofocus autocomplete="current-password" spellcheck="false"
 maxlength="1000"{told}>
<button id="enter" type="submit">Log in</button>
</form>
<p id="help">Whoever runs Organon here gives you a token: one was printed when it was first started, and
<code>organon token create --name NAME --role viewer</code> makes more: <em>viewer</em> to look, <em>operator</em> to
act.</p>"""
    return _page("Log in", form, _SCRIPT)


def logout_page() -> str:
    """The question whether to leave."""
    form = f"""<h1>Log out of Organon?</h1>
<p>This browser forgets your token; you need it to log in again. Campaigns go on meanwhile.</p>
<form method="post" action="{LOGOUT}"><button type="submit">Log out</button></form>
<p><a href="/">Back to the pages</a></p>"""
    return _page("Log out", form)


def _page(title: str, body: str, script: str = "") -> str:
    end = f"<script>{script}</script>" if script else ""
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} · Organon</title><link rel="icon" href="data:,"><style>{_STYLE}</style></head>
<body><main>
{body}
</main>{end}</body></html>
"""
