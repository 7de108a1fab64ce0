import pytest

from harness.data.languages import UNKNOWN, find_language_mix, language_of, main_language


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("The patient has had a cough for three days and is not feverish.", "English"),
        ("Der Patient hat seit drei Tagen Husten und ist nicht fiebrig.", "German"),
        ("Le patient tousse depuis trois jours et il n'est pas fiévreux.", "French"),
        ("El paciente tiene tos desde hace tres días y no tiene fiebre, pero está cansado.", "Spanish"),
        ("Il paziente ha la tosse da tre giorni e non è febbrile, ma sono stanchi.", "Italian"),
        ("O paciente não tem febre, mas há tosse desde ontem e uma dor no peito.", "Portuguese"),
        ("De patiënt heeft sinds drie dagen hoest en het is niet erg, maar ook geen koorts.", "Dutch"),
        ("Patienten har hosta sedan tre dagar och det är inte feber som ett tecken.", "Swedish"),
        ("Pacjent nie ma gorączki, ale kaszel trwa od trzech dni i jest suchy oraz męczy go przez noc.", "Polish"),
        ("患者は三日前から咳をしている。", "Japanese"),
        ("患者咳嗽三天。", "Chinese"),
        ("환자는 사흘째 기침을 한다.", "Korean"),
        ("Пациент кашляет три дня.", "Cyrillic script"),
        ("المريض يسعل منذ ثلاثة أيام", "Arabic script"),
        ("Herpes zoster", UNKNOWN),
        ("Asthma as a child, no symptoms, no inhaler.", UNKNOWN),
        ("140/90", UNKNOWN),
        ("", UNKNOWN),
    ],
)
def test_the_language_of_a_sentence(text: str, language: str) -> None:
    assert language_of(text) == language


def test_a_foreign_word_does_not_make_a_text_foreign() -> None:
    assert language_of("The surname of the patient is written 山田 in her passport.") == "English"


def test_what_is_unknown_is_not_another_language() -> None:
    languages = {1: "English", 2: UNKNOWN, 3: "English", 4: "German"}
    (found,) = find_language_mix(languages)
    assert (found.lines, found.value) == ((4,), 0.25)
    assert find_language_mix({1: UNKNOWN, 2: UNKNOWN}) == []
    assert main_language({1: UNKNOWN}) == UNKNOWN
