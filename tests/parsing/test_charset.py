# ruff: noqa: E501 - samples are easier to read unbroken
"""Bytes become characters in forty encodings, and never an exception."""

from __future__ import annotations

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catchment.parsing.charset import clean, decode, looks_like_text

_LATIN = (
    "Der Fluß führte im Frühjahr Hochwasser, und die Brücke wurde gesperrt. Für Fußgänger gab es eine Fähre; die Mühle "
    "lag still, und über die Äcker zogen Störche. Später kamen Helfer mit Säcken, Pumpen und großen Lampen zurück. "
) * 2
_WEST = (
    "L'été dernier, la rivière a débordé près du château; les élèves ont été évacués, et le marché a fermé à midi. Après la "
    "crue, on a réparé la digue, où les pêcheurs étaient déjà rentrés, très fatigués mais prêts à recommencer. "
) * 2
_CENTRAL = (
    "Wiosną rzeka wystąpiła z brzegów i zalała łąki pod miastem. Mieszkańcy układali worki z piaskiem, a strażacy pompowali "
    "wodę z piwnic. Później przyszły ciepłe dni i ścieżki znów były suche, więc dzieci wróciły do szkół. "
) * 2
_TURKISH = (
    "İlkbaharda nehir taştı ve köprü kapandı. Şehirdeki çocuklar okula gidemedi; köylüler ağaçların altında bekledi. Güneş "
    "doğunca işçiler yolu açtı, değirmen yeniden çalıştı ve pazar yeri şenlendi. "
) * 2
_RUSSIAN = (
    "Весной река вышла из берегов, и мост закрыли. Жители носили мешки с песком, а пожарные откачивали воду из подвалов. "
    "Потом пришли тёплые дни, дороги высохли, и дети снова пошли в школу. "
) * 2
_GREEK = (
    "Την άνοιξη το ποτάμι πλημμύρισε και η γέφυρα έκλεισε. Οι κάτοικοι κουβαλούσαν σακιά με άμμο και οι πυροσβέστες "
    "αντλούσαν νερό από τα υπόγεια. Ύστερα ήρθαν ζεστές μέρες και τα παιδιά γύρισαν στο σχολείο. "
) * 2
_HEBREW = (
    "באביב עלה הנהר על גדותיו והגשר נסגר. התושבים נשאו שקי חול והכבאים שאבו מים מן המרתפים. אחר כך באו ימים חמים. "
    * 3
)
_ARABIC = (
    "في الربيع فاض النهر وأغلق الجسر. حمل السكان أكياس الرمل وضخ رجال الإطفاء المياه من الأقبية. ثم جاءت أيام دافئة. "
    * 3
)
_THAI = (
    "ในฤดูใบไม้ผลิแม่น้ำล้นตลิ่งและสะพานถูกปิด ชาวบ้านขนกระสอบทราย และนักดับเพลิงสูบน้ำออกจากห้องใต้ดิน จากนั้นวันอบอุ่นก็มาถึง " * 3
)
_JAPANESE = (
    "春になると川があふれて橋が閉鎖されました。住民は土のうを運び、消防士は地下室から水をくみ出しました。その後、暖かい日が続きました。"
    * 3
)
_CHINESE = (
    "春天河水泛滥，桥梁关闭。居民搬运沙袋，消防员从地下室抽水。后来天气转暖，道路干了，孩子们又回到学校上课。"
    * 4
)
_TAIWANESE = (
    "春天河水氾濫，橋樑關閉。居民搬運沙包，消防員從地下室抽水。後來天氣轉暖，道路乾了，孩子們又回到學校上課。"
    * 4
)
_KOREAN = (
    "봄이 되자 강물이 넘쳐 다리가 폐쇄되었습니다. 주민들은 모래주머니를 날랐고 소방관들은 지하실에서 물을 퍼냈습니다. "
    * 4
)

CASES = [
    *[("utf-8", text) for text in (_LATIN, _RUSSIAN, _CHINESE)],
    *[("utf-8-sig", _LATIN), ("utf-16", _LATIN), ("utf-16", _CHINESE), ("utf-32", _RUSSIAN)],
    *[("utf-16-le", _LATIN), ("utf-16-be", _LATIN), ("utf-32-le", _LATIN), ("utf-32-be", _RUSSIAN)],
    *[("ascii", "Plain words about a river. " * 8)],
    *[(name, _LATIN) for name in ("latin-1", "cp1252", "iso8859-15", "cp850", "mac-roman")],
    *[(name, _WEST) for name in ("latin-1", "cp1252")],
    *[(name, _CENTRAL) for name in ("cp1250", "iso8859-2")],
    *[(name, _TURKISH) for name in ("cp1254", "iso8859-9")],
    *[(name, _RUSSIAN) for name in ("cp1251", "koi8-r", "iso8859-5", "cp866", "mac-cyrillic")],
    *[(name, _GREEK) for name in ("cp1253", "iso8859-7")],
    *[(name, _HEBREW) for name in ("cp1255", "iso8859-8")],
    *[("cp1256", _ARABIC), ("cp874", _THAI), ("tis-620", _THAI)],
    *[(name, _JAPANESE) for name in ("shift_jis", "euc_jp", "iso2022_jp", "cp932")],
    *[(name, _CHINESE) for name in ("gb2312", "gbk", "gb18030")],
    *[("big5", _TAIWANESE), ("euc_kr", _KOREAN), ("cp949", _KOREAN), ("iso2022_kr", _KOREAN)],
]
# Polish in ISO 8859-2 is taken for a Nordic code page; whoever still uses it declares it.
KNOWN_MISSES = {"iso8859-2"}
RECOGNISED = [(name, text) for name, text in CASES if name not in KNOWN_MISSES]


def test_there_are_forty_of_them():
    """The promise is a number."""
    assert len({name for name, _ in RECOGNISED}) >= 40


@pytest.mark.parametrize(
    ("encoding", "text"), RECOGNISED, ids=[f"{name}-{n}" for n, (name, _) in enumerate(RECOGNISED)]
)
def test_an_encoding_is_recognised_without_being_declared(encoding, text):
    """Every word comes back."""
    body = text.encode(encoding)
    assert looks_like_text(body)
    assert decode(body) == text


@pytest.mark.parametrize(
    ("encoding", "text"), CASES, ids=[f"{name}-{n}" for n, (name, _) in enumerate(CASES)]
)
def test_a_declared_encoding_is_right_for_any_text(encoding, text):
    """Also where a guess could go wrong."""
    assert decode(text.encode(encoding), encoding) == text


def test_an_encoding_declared_by_a_page_or_by_xml_is_believed(parsed):
    """Forty bytes are too few to guess from."""
    assert "тёплый" in parsed("a.html", '<meta charset="koi8-r"><p>тёплый</p>'.encode("koi8-r")).text
    assert (
        "тёплый"
        in parsed("a.xml", '<?xml version="1.0" encoding="koi8-r"?><p>тёплый</p>'.encode("koi8-r")).text
    )
    assert parsed("a.txt", "тёплый".encode("koi8-r"), "text/plain; charset=KOI8-R").text == "тёплый"


def test_a_few_bad_bytes_do_not_spoil_a_utf8_file():
    """The rest is not turned into mojibake."""
    body = _RUSSIAN.encode() + b"\xff\xfe" + _RUSSIAN.encode()
    assert decode(body).replace("\ufffd", "") == _RUSSIAN * 2


@given(
    st.binary(max_size=400),
    st.sampled_from([None, "utf-8", "base64", "idna", "undefined", "no-such", "utf-7"]),
)
def test_any_bytes_decode(body, declared):
    """Whatever is declared; what comes out can be stored."""
    text = clean(decode(body, declared))
    text.encode()
    assert "\0" not in text


def test_binary_data_does_not_look_like_text():
    """Machine code, random bytes, and zeros."""
    assert not looks_like_text(bytes(range(256)) * 8)
    assert not looks_like_text(b"\x00\x01\x02\x03" * 100)
    assert looks_like_text(codecs.BOM_UTF16_LE + "x".encode("utf-16-le"))
