"""What is often written, and how the format writes it: ends of messages about expressions, numbers and names."""

import difflib
import re
import unicodedata
from collections.abc import Iterable, Mapping

_MOST_SHOWN = 15

# other names of functions → how expressions write them
_FUNCTIONS: Mapping[str, str] = {
    **dict.fromkeys(("ln", "loge"), "log(x), the natural logarithm"),
    "log2": "log(x) / log(2)",
    **dict.fromkeys(("logistic", "expit", "inv_logit", "invlogit"), "sigmoid(x)"),
    **dict.fromkeys(("phi", "pnorm", "norm_cdf", "normal_cdf", "ncdf"), "normcdf(x)"),
    **dict.fromkeys(("pow", "power"), "x ** y"),
    **dict.fromkeys(("square", "sqr"), "x ** 2"),
    **dict.fromkeys(("mean", "average"), "(x + y) / 2"),
    **dict.fromkeys(("if", "ifelse", "iif", "case", "select"), "where(condition, yes, no)"),
    **dict.fromkeys(("heaviside", "step"), "where(x > 0, 1, 0)"),
    **dict.fromkeys(("ceil", "ceiling"), "-floor(-x)"),
    **dict.fromkeys(("int", "trunc"), "floor(x)"),
    "round": "floor(x + 0.5)",
    "mod": "x % y",
    **dict.fromkeys(("gammaln", "loggamma", "lgam"), "lgamma(x)"),
    "gamma": "exp(lgamma(x))",
    "factorial": "exp(lgamma(n + 1))",
    "erfc": "1 - erf(x)",
    **dict.fromkeys(("arctan", "arctg"), "atan(x)"),
    **dict.fromkeys(("arctan2",), "atan2(y, x)"),
    **dict.fromkeys(("asin", "arcsin"), "atan2(x, sqrt(1 - x ** 2))"),
    **dict.fromkeys(("acos", "arccos"), "atan2(sqrt(1 - x ** 2), x)"),
    "sinh": "(exp(x) - exp(-x)) / 2",
    "cosh": "(exp(x) + exp(-x)) / 2",
    "sgn": "sign(x)",
    "fabs": "abs(x)",
    "minimum": "min(x, y)",
    "maximum": "max(x, y)",
    "clamp": "clip(x, low, high)",
    "relu": "max(x, 0)",
}

_CHARACTERS: Mapping[str, str] = {
    **dict.fromkeys("−–—‐‑⁻", "-"),
    **dict.fromkeys("×·⋅∙∗", "*"),
    **dict.fromkeys("÷∕⁄", "/"),
    **dict.fromkeys("‘’‚′´", "'"),
    **dict.fromkeys("“”„″", '"'),
    **dict.fromkeys("\u00a0\u2009\u202f\u2007\u3000", "an ordinary space"),
    **{power: f"** {digit}" for digit, power in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")},
    "≤": "<=", "≥": ">=", "≠": "!=", "√": "sqrt(x)", "½": "0.5", "¼": "0.25", "¾": "0.75", "∞": "a large number",
}  # fmt: skip

# what stands in a text that Python's parser does not take → what to do
_SYNTAX: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), hint)
    for pattern, hint in (
        (r"&&", "'and' is written in letters, not &&"),
        (r"\|\|", "'or' is written in letters, not ||"),
        (r"\|[^|]+\|", "an absolute value is written abs(x)"),
        (r"<>", "unequal is written !="),
        (r"=<|=>", "comparisons are written <= and >="),
        (r"\bif\s*\(|\b[Tt]hen\b", "a choice between two values is written where(condition, yes, no)"),
        (r"\b(AND|OR|NOT|IF|ELSE)\b", "and, or, not, if, else are written in small letters"),
        (r"(?<![=!<>:])=(?!=)", "equality is written ==, and a law stands under 'let' as  name: formula"),
        (r"[\w)]\s*!(?!=)", "a factorial is written exp(lgamma(n + 1))"),
        (r"!(?!=)", "'not' is written in letters, not !"),
        (r"[0-9]\s*%\s*($|[-+)*/,])", "a percentage is written as a fraction: 50 % is 0.5"),
        (r";", "remove the semicolon"),
        (r"\$", "remove the dollar signs"),
        (r"\?", "a choice between two values is written where(condition, yes, no)"),
        (r"`", "remove the backquotes"),
    )
)
_WORDS = r"(?!(?:and|or|not|if|else|in|is)\b)"
_SIDE_BY_SIDE = re.compile(rf"\b{_WORDS}([A-Za-z_]\w*|[0-9.]+)\s+{_WORDS}([A-Za-z_]\w*|[0-9.]+)|\)\s*{_WORDS}([\w.]+)")

_NUMERAL = r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?"
_PERCENT = re.compile(rf"({_NUMERAL})\s*%")
_THOUSANDS = re.compile(r"[-+]?[1-9][0-9]{0,2}(?:,[0-9]{3})+(?:\.[0-9]+)?")
_DECIMAL_COMMA = re.compile(r"[-+]?[0-9]+,[0-9]+")
_POWER_OF_TEN = re.compile(r"(?:([-+]?[0-9.]+)\s*[x*×·]\s*)?10\s*(?:\^|\*\*)?\s*([-−][0-9]+|(?<=[\^*])\+?[0-9]+)")
_FRACTION = re.compile(rf"({_NUMERAL})\s*/\s*({_NUMERAL})")
_WITH_UNIT = re.compile(rf"({_NUMERAL})\s*([A-Za-zµμ°Å%Ω][^\[\](){{}}+]*)")

# key → what it is called elsewhere
_KEYS: Mapping[str, str] = {
    "normal": "gaussian gauss norm",
    "lognormal": "lnorm",
    "loguniform": "reciprocal jeffreys",
    "studentt": "t student cauchy",
    "sd": "sigma std sdev stdev noise error scale",
    "scale": "sd sigma std",
    "mean": "mu average avg loc location expectation center centre",
    "mu": "mean loc meanlog",
    "sigma": "sd std sdlog",
    "p": "prob probability",
    "rate": "derivative equation rhs ode lambda",
    "dispersion": "r size k",
    "mechanisms": "models laws hypotheses theories hypothesis law model",
    "designs": "variables factors inputs controls conditions settings",
    "outcomes": "observations responses measurements outputs observables likelihood",
    "parameters": "priors unknowns params constants",
    "goal": "objective question target aim",
    "let": "definitions formulas equations derived",
    "dynamics": "ode odes system",
    "replays": "data datasets",
    "summary": "description abstract",
    "label": "description comment note name title",
    "real": "min max range bounds interval continuous float",
    "integer": "int whole count discrete",
    "levels": "values grid set",
    "choice": "options categorical category categories factor enum",
    "start": "initial init x0 y0",
    "until": "end t_end duration",
    "maximise": "optimize optimise max",
    "minimise": "min",
    "weight": "probability prior",
    "source": "reference citation",
}


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that was most likely meant: the same but for case and -, _; another word; a few letters away."""
    choices = sorted(set(known))
    plain = _plain(name)
    same = next((choice for choice in choices if _plain(choice) == plain), None)
    if same is None:
        same = next((choice for choice in choices if name.lower() in _KEYS.get(choice, "").split()), None)
    if same is not None:
        return same
    near = difflib.get_close_matches(name[:100], choices, 1, 0.6 if len(name) > 3 else 0.5)
    return near[0] if near else None


def suggest(name: str, known: Iterable[str], otherwise: str = "") -> str:
    """The nearest known name as a question, or else what is written ``otherwise``, or the known names."""
    choices = sorted(set(known))
    near = nearest(name, choices)
    if near is not None:
        return f"did you mean {near!r}?"
    if otherwise:
        return otherwise
    more = ", …" if len(choices) > _MOST_SHOWN else ""
    return f"known here: {', '.join(choices[:_MOST_SHOWN])}{more}" if choices else "none is known here"


def for_function(name: str, known: Iterable[str]) -> str:
    """What to write instead of a call of ``name``."""
    bare = name.rpartition(".")[2].lower()
    functions = list(known)
    if bare in functions:
        return f"write {bare}(…)"
    if bare in _FUNCTIONS:
        return f"write {_FUNCTIONS[bare]}"
    near = difflib.get_close_matches(bare, functions, 1, 0.75)
    if near:
        return f"did you mean {near[0]!r}?"
    return f"the functions are {' '.join(functions)}; a product is written {name[:30]} * (…)"


def for_character(character: str) -> tuple[str, str]:
    """What a character outside ASCII is, and what to write instead: two ends for parts of a message."""
    written = _CHARACTERS.get(character)
    if written is None and unicodedata.name(character, "").startswith("GREEK"):
        written = f"the name in letters, {spelled(character)}"
    said = unicodedata.name(character, "").lower()
    return (f" ({said})" if said else ""), (f", so write {written}" if written else "")


def for_syntax(text: str) -> str | None:
    """What in a text is most likely the reason that it is no expression."""
    for pattern, hint in _SYNTAX:
        if pattern.search(text):
            return hint
    beside = _SIDE_BY_SIDE.search(text)
    if beside is None:
        return None
    left, right = beside[1] or "( … )", beside[2] or beside[3]
    return f"there is no operator between {left[:40]} and {right[:40]}; a product is written {left[:40]} * {right[:40]}"


def for_number(text: str) -> str:
    """How a text that was meant as a number is written, beginning with '; ', or nothing."""
    written = _number(text.strip()[:80])
    return f"; {written}" if written else ""


def _number(text: str) -> str:
    if re.fullmatch(_NUMERAL, text):
        return f"remove the quotes: {text}"
    if found := _PERCENT.fullmatch(text):
        return f"a percentage is written as a fraction: {float(found[1]) / 100:g}"
    if _THOUSANDS.fullmatch(text):
        return f"numbers have no commas: {text.replace(',', '')}"
    if _DECIMAL_COMMA.fullmatch(text):
        return f"the decimal sign is a point: {text.replace(',', '.')}"
    if found := _POWER_OF_TEN.fullmatch(text):
        return f"a power of ten is written {found[1] or 1}e{found[2].replace('−', '-')}"
    if (found := _FRACTION.fullmatch(text)) and float(found[2]):
        return f"write the value: {float(found[1]) / float(found[2]):.6g}"
    if found := _WITH_UNIT.fullmatch(text):
        return f"write the number alone, {found[1]}, and its unit under 'unit' where there is one"
    return ""


def for_name(name: str, joint: str) -> str:
    """A name near this one that is allowed, beginning with '; ', or nothing. joint: what joins its words."""
    plain = spelled(name)
    words = re.findall(r"[A-Za-z0-9]+", plain) if plain.isascii() else []
    found = joint.join(words)[:64]
    if joint == "_":
        found = found.lstrip("0123456789_")
    return f"; write {found}" if found else ""


def spelled(text: str) -> str:
    """A text with Greek letters spelled, accents taken off and superscripts made digits."""
    return "".join(_letter(character) for character in text[:100])


def _letter(character: str) -> str:
    title = unicodedata.name(character, "")
    if title.startswith("GREEK") and "LETTER" in title:
        word = title.split("LETTER ")[1].split(" ")[0].lower().removeprefix("final ")
        return word.capitalize() if "CAPITAL" in title else word
    plain = unicodedata.normalize("NFKD", character)
    return "mu" if character == "µ" else "".join(c for c in plain if not unicodedata.combining(c))


def _plain(name: str) -> str:
    return name.lower().replace("-", "").replace("_", "")
