"""Letters: with an attachment, with a letter inside a letter, in a legacy encoding."""

from __future__ import annotations

from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

from making import pdf


def make(root: Path) -> None:
    """Write the letters of the corpus."""
    folder = root / "mail"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "laboratory with results attached.eml").write_bytes(_with_attachments())
    (folder / "Fwd; clay from the quarry.eml").write_bytes(_nested())
    (folder / "Gruß aus der Nachbarstation.eml").write_bytes(_german())


def _letter(sender: str, to: str, subject: str, day: str, identity: str) -> EmailMessage:
    letter = EmailMessage(policy=SMTP)
    letter["From"] = f"{sender} <{sender.rsplit(maxsplit=1)[-1]}@station.example>"
    letter["To"] = f"{to} <{to.rsplit(maxsplit=1)[-1]}@station.example>"
    letter["Subject"] = subject
    letter["Date"] = day
    letter["Message-ID"] = f"<{identity}@station.example>"
    return letter


def _with_attachments() -> bytes:
    letter = _letter(
        "the laboratory",
        "station lead",
        "Second clean sample",
        "Tue, 18 Mar 2025 08:20:00 +0100",
        "second-clean-sample",
    )
    letter.set_content(
        "The second sample in a row is clean: no E. coli at the school, residual 0.33 mg/l. From our side "
        "the boil-water notice "
        "can be lifted at nine.\n\nThe table and a letter for the council are attached.\n"
    )
    letter.add_alternative(
        "<p>The second sample in a row is clean: <b>no E. coli at the school</b>, residual 0.33 mg/l. "
        "From our side the "
        "boil-water notice can be lifted at nine.</p><p>The table and a letter for the council are "
        "attached.</p>",
        subtype="html",
    )
    letter.add_attachment(
        "place;e_coli;residual\nschool;0;0.33\nmarket;0;0.31\nreservoir tap;0;0.36\n",
        subtype="csv",
        filename="samples 18 March.csv",
    )
    letter.add_attachment(_council_letter(), maintype="application", subtype="pdf", filename="council.pdf")
    _fix_boundaries(letter, "clean")
    return letter.as_bytes()


def _council_letter() -> bytes:
    paper = pdf.Paper("Letter to the council")
    paper.heading("To the council of the valley")
    paper.paragraph(
        "The water of the Lower Town is fit to drink again. The water trucks may go home; their drivers "
        "deserve the tunnel cake "
        "of the bakery in Weir Street, and the station will pay for it."
    )
    return paper.save()


def _nested() -> bytes:
    inner = _letter(
        "lock keeper",
        "duty hydrologist",
        "Stones in the night",
        "Sat, 15 Mar 2025 06:55:00 +0100",
        "stones-in-the-night",
    )
    inner.set_content(
        "A quarter past two I heard it. First like a cart on cobbles, then nothing, and the nothing was "
        "worse. With the lamp I saw that "
        "the towpath was gone over the length of four barges. The water below is the colour of milk coffee.\n"
    )
    inner.add_attachment(
        "02:15 noise\n02:20 lamp\n02:24 radio to the control room\n", filename="lock book.txt"
    )
    _fix_boundaries(inner, "stones")
    outer = _letter(
        "duty hydrologist",
        "station lead",
        "Fwd: Stones in the night",
        "Sat, 15 Mar 2025 09:30:00 +0100",
        "clay-from-the-quarry",
    )
    outer.set_content(
        "This belongs into the report, word for word. I have never read a better description of a landslip.\n"
    )
    outer.add_attachment(inner)
    _fix_boundaries(outer, "forwarded")
    return outer.as_bytes()


def _german() -> bytes:
    letter = _letter(
        "Nachbarstation",
        "station lead",
        "Grüße flussabwärts",
        "Mon, 24 Mar 2025 10:00:00 +0100",
        "gruesse-flussabwaerts",
    )
    letter.set_content(
        "Liebe Kolleginnen und Kollegen,\n\nbei uns kam die Welle neun Stunden später und nur noch halb "
        "so hoch an. Ihr Öffnen in "
        "Zehn-Zentimeter-Schritten hat uns die Kläranlage gerettet. Über das Ausmaß der Rutschung würden "
        "wir gern mehr erfahren.\n\n"
        "Mit schönen Grüßen\nder Schichtführer der Nachbarstation\n",
        charset="cp1252",
        cte="quoted-printable",
    )
    return letter.as_bytes()


def _fix_boundaries(letter: EmailMessage, word: str) -> None:
    """Name the boundaries: the library would draw them by lot, and every run would differ."""
    for number, part in enumerate(letter.walk()):
        if part.is_multipart() and part.get_content_maintype() == "multipart":
            part.set_boundary(f"=_{word}_{number}")
