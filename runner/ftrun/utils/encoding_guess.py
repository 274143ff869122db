"""Guess of the encoding of a file that is not UTF-8, from the characters that are frequent in texts of each encoding.

A few words are enough, which general detectors are not made for. The guess is a suggestion in a message, nothing more.
"""

# ruff: noqa: RUF001, E501 (letters of many scripts; wide ones count twice)

from __future__ import annotations

import re
import shlex
from pathlib import PurePosixPath

SAMPLE_BYTES = 1 << 16
UNPACK = {".gz": "gzip -dc", ".bz2": "bzip2 -dc", ".zst": "zstd -dc"}  # commands for compressed files
# First bytes of a file that show its encoding. The mark of UTF-32 begins with that of UTF-16.
MARKS = (
    (b"\xff\xfe\0\0", "utf-32"),
    (b"\0\0\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
FEW_NULS = 0.2  # share of NUL bytes; English text in UTF-16 has 0.5, a binary file seldom has them at one parity only

CYRILLIC = "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэф"
# Letters and marks that are frequent beyond ASCII. The first of two encodings with equal scores wins.
FREQUENT = {
    "cp1252": "äöüßéèêëàâçùûîïôœñáíóúãõæøåÄÖÜÉÀÅØ’‘“”„–—…«»€°·",
    "cp1251": CYRILLIC + CYRILLIC[:6].upper() + "ПСМКВДАНТ«»—–…№ієї",
    "koi8-r": CYRILLIC + "ПСМКВДАНТ",
    "cp932": "のにはをたがでてとしれさあいうおかくけこすせそちつなまみめもやよらりるろわんアイスルトンラリテー。、「」（）・",
    "euc-jp": "のにはをたがでてとしれさあいうおかくけこすせそちつなまみめもやよらりるろわんアイスルトンラリテー。、「」（）・",
    "gb18030": (
        "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发后作里用道行所然家种事成方多经么去法学如都同现当没动面起看定天分还进好小部其些主样理心"
        "她本前开但因只从想实日军者意无力它与长把机十民第公此已工使情明性知全三又关点正业外将两高间由问很最重并物手应战向头文体政美相见被利什二等产或新己制身果加西斯月话合回特代内信表化老给"
        "世位次度门任常先海通教儿原东声提立及比员解水名真论处走义各入几口认条平系气题活尔更别打女变四神总何电数安少报才结反受目太量再感建务做接必场件计管期市直德资命山金指克许统区保至队形社"
        "便空决治展马科司五基眼书非则听白却界达光放强即像难且权思王象完设式色路记南品住告类求据程北边死张该交规万取拉格望觉术领共确传师观清今切院让识候带导争运请答，。？！：；、“”（）《》"
    ),
    "big5": (
        "的一是不了在人有我他這個們中來上大為和國地到以說時要就出會可也你對生能而子那得於著下自之年過發後作裡用道行所然家種事成方多經麼去法學如都同現當沒動面起看定天分還進好小部其些主樣理心"
        "她本前開但因只從想實日請答問題嗎吧氣界世，。？！：；、「」（）"
    ),
    "cp949": "이다는에의가을를은고하기한지로서도사리해요세니안녕시오어나그것들수있과와자대정일전주라아만인보으면적게질문답변날씨까습어디여떻무엇했않없모든때부터내용제목중동생사람말문화",
    "cp1250": "ąćęłńśźżĄĆŁŚŻčřšžýěůťďňČŘŠŽőűŐŰáíéúó„”“’–",
    "cp1254": "ıİşŞğĞüöçÜÖÇ’“”–",
    "cp1253": "αεηιοστνκρλπυμίάέόύήώςδγθχωφβξζΑΕΚΤΠ",
}
LATIN = ("cp1252", "cp1250", "cp1254")
CYRILLIC_OR_GREEK = ("cp1251", "koi8-r", "cp1253")
LETTERS = re.compile(r"[^\W\d_]+")
# Letters of the scripts that have thousands of them. One that is not among the frequent ones counts a third.
EAST_ASIAN = re.compile("[\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7a3]")
LEAST = 0.3  # score below which a guess would be as good as any other


def guess_encoding(sample: bytes) -> str | None:
    """Return the likely encoding of bytes that are not UTF-8, or None if they look like none of the common ones."""
    sample = sample[:SAMPLE_BYTES]
    if wide := guess_wide(sample):
        return wide
    scores = {encoding: _score(sample, encoding, set(letters)) for encoding, letters in FREQUENT.items()}
    best = max(scores, key=scores.__getitem__)
    return best if scores[best] >= LEAST else None


def guess_wide(sample: bytes) -> str | None:
    """Return the kind of UTF-16 or UTF-32 that the first bytes of a file show, or None."""
    if marked := next((encoding for mark, encoding in MARKS if sample.startswith(mark)), None):
        return marked
    if len(sample) < 8 or sample.count(0) < FEW_NULS * len(sample):
        return None
    nuls = [sample[place::4].count(0) / len(sample[place::4]) for place in range(4)]
    for name, full, empty in (("utf-32-le", (0,), (2, 3)), ("utf-32-be", (3,), (0, 1))):
        if all(nuls[place] > 0.9 for place in empty) and all(nuls[place] < 0.1 for place in full):
            return name
    even, odd = (nuls[0] + nuls[2]) / 2, (nuls[1] + nuls[3]) / 2
    return "utf-16-le" if even < 0.1 < odd else "utf-16-be" if odd < 0.1 < even else None


def _score(sample: bytes, encoding: str, frequent: set[str]) -> float:
    """Return at most 1: the more, the likelier is the encoding. 0 or less if the bytes are not in the encoding."""
    try:
        text = sample.decode(encoding)
    except UnicodeDecodeError as error:
        if error.start < len(sample) - 4:  # the sample may end inside a character
            return 0.0
        text = sample[: error.start].decode(encoding)
    beyond = [mark for mark in text if mark > "\x7f"]
    if not beyond:
        return 0.0
    points = sum(1 if mark in frequent else 0.3 if EAST_ASIAN.match(mark) else -1 for mark in beyond)
    return (points - _count_strange(text, encoding)) / len(beyond)


def _count_strange(text: str, encoding: str) -> int:
    """Return the number of letters beyond ASCII in words that no language has: of two alphabets, or of accents alone."""
    strange = 0
    for word in LETTERS.findall(text):
        beyond = sum(letter > "\x7f" for letter in word)
        is_mixed = 0 < beyond < len(word)
        is_accents = beyond == len(word) > 2
        if (is_mixed and encoding in CYRILLIC_OR_GREEK) or (is_accents and encoding in LATIN):
            strange += beyond
    return strange


def conversion_command(encoding: str, name: str) -> str:
    """Return the shell command that writes a copy of a file in UTF-8."""
    packed = next((name[-len(suffix) :] for suffix in UNPACK if name.lower().endswith(suffix)), "")
    plain = PurePosixPath(name.removesuffix(packed) or name)
    target = shlex.quote(str(plain.with_name(f"{plain.stem}.utf-8{plain.suffix}")))
    source = shlex.quote(name)
    read = f"{UNPACK[packed.lower()]} {source} | " if packed else ""
    return f"{read}iconv -f {encoding.upper()} -t UTF-8 {'' if packed else f'{source} '}> {target}"
