# ruff: noqa: RUF001
"""Texts in the encodings of old machines, each with what its first readers had on their desks."""

from __future__ import annotations

import codecs
from pathlib import Path


def make(root: Path) -> None:
    """Write the legacy-encoded texts of the corpus."""
    for name, (encoding, text) in _TEXTS.items():
        target = root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(_MARKS.get(encoding, b"") + text.encode(encoding))


_MARKS = {"utf-16-le": codecs.BOM_UTF16_LE, "utf-16-be": codecs.BOM_UTF16_BE}

_TEXTS = {
    "notices/Hinweis Spülung.txt": (
        "cp1252",
        """Hinweis: Spülung der Leitungen

In der Nacht vom 3. auf den 4. September spülen wir die Hauptleitung in der Unterstadt. Zwischen 23 und
5 Uhr kann das Wasser bräunlich sein. Es ist nicht gefährlich, aber für weiße Wäsche ungeeignet. Bitte
lassen Sie am Morgen den Hahn so lange laufen, bis das Wasser klar ist; die Menge – etwa zwei Eimer –
reicht für die Geranien.

Für Rückfragen: Nebenstelle 11, „Störungsannahme“.
""",
    ),
    "languages/lettre de la station voisine.txt": (
        "cp1252",
        """Chers collègues,

merci pour votre accueil au barrage. Nos techniciens ont été impressionnés par la passe à anguilles :
une brosse, un filet d'eau, et mille jeunes anguilles en onze nuits. Chez nous, l'échelle à poissons a
coûté cent fois plus cher et les poissons préfèrent passer à côté.

Nous vous envoyons la notice de l'hélice que vous cherchiez pour le moulinet. L'étalonnage se fait à
l'étang, tôt le matin, avant les canards.

Bien à vous,
le chef de la station voisine
""",
    ),
    "languages/日本語/濁度計の校正手順.txt": (
        "shift_jis",
        """濁度計の校正手順（姉妹観測所より）

一、標準液は使う直前に調製し、冷暗所に置くこと。
二、センサーの窓を柔らかい布で拭き、気泡がないことを確かめる。
三、零点は超純水、スパンは百度の標準液で合わせる。
四、校正の前後の値を必ず記録簿に書く。差がなくても書く。

濁度計の校正は毎月第一月曜日に行う。洪水の後は、曜日にかかわらず翌日に行うこと。
""",
    ),
    "languages/письмо с верхней станции.txt": (
        "koi8-r",
        """Уважаемые коллеги!

Посылаем вам наблюдения за ледоходом на верхней станции. Лёд тронулся двадцать восьмого марта, на девять
дней раньше обычного. Уровень воды поднялся на полтора метра за ночь, но дамба выдержала. Сторож слышал
треск ещё с вечера и предупредил деревню.

Просим прислать нам чертёж вашего водосброса: наш открывается только вручную, и это занимает сорок
минут.

С уважением,
дежурный гидролог верхней станции
""",
    ),
    "measurements/export from the old logger.csv": (
        "utf-16-le",
        """Zeit;Pegel;Wasserstand cm;Bemerkung
1998-10-27 18:00;Millbridge;244;Regen auf Schnee
1998-10-28 00:00;Millbridge;302;Fähre festgemacht
1998-10-28 06:00;Millbridge;351;Scheitel, Kreidestrich am Schützenhaus
1998-10-28 18:00;Millbridge;318;fällt
""",
    ),
    "languages/多摩の便り.txt": (
        "utf-16-be",
        """川の向こうの友人たちへ

今年もカワセミが堰に戻りました。五月には稚魚の調査をします。あなた方のブラシの遡上路をまねて、私たちも竹で一本作ってみました。最初の夜に
十七匹のウナギが登りました。写真を同封します。
""",
    ),
    "languages/水廠來信.txt": (
        "big5",
        """各位同仁：

感謝寄來洪水報告。我們的取水口也曾因上游崩塌而停用三日，當時的值班員沒有權限關閉閘門，等候批准就用了四十分鐘。
讀了貴站的規定之後，本廠已經修改值班手冊：任何人都可以關閉取水口。

水廠廠長室 敬上
""",
    ),
    "measurements/umlaute mit marke.csv": (
        "utf-8-sig",
        "Datum,Becken,Füllstand m,Bemerkung\n2025-06-04,2,4.10,übergelaufen\n2025-06-05,2,3.35,Schwimmer "
        "gelöst\n",
    ),
}
