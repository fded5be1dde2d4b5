"""The words of the report in English and French, and the sentences that the ingestion writes in English."""

import re
from collections.abc import Mapping

from catalog.schema import ColumnType, TableKind
from catalog.values import Said
from pipelines.quality.signs import Kind

WORDS: Mapping[str, Said] = {
    "title": Said("Data quality", "Qualité des données"),
    "for_holder": Said(
        "For the data holder: exact counts, not for publication.",
        "Pour le détenteur : effectifs exacts, à ne pas publier.",
    ),
    "for_public": Said(
        "For publication: every figure about persons is rounded.",
        "Pour publication : tout chiffre sur des personnes est arrondi.",
    ),
    "snapshot": Said("Snapshot", "Version"),
    "loaded": Said("loaded on", "chargée le"),
    "summary": Said("In short", "En bref"),
    "level": Said("Level", "Niveau"),
    "of_five": Said("of 5", "sur 5"),
    "score": Said("score", "note"),
    "scheme_note": Said(
        "Levels follow the scheme {scheme}, which is this platform's own: no act under Article 78(6) of Regulation "
        "(EU) 2025/327 fixes weights or a graphic yet.",
        "Les niveaux suivent le barème {scheme}, propre à cette plateforme : aucun acte au titre de l'article 78(6) du "
        "règlement (UE) 2025/327 ne fixe encore de pondération ni de graphisme.",
    ),
    "no_level": Said("Too little was measured for a level.", "Trop peu de mesures pour un niveau."),
    "rows": Said("rows", "lignes"),
    "persons": Said("persons", "personnes"),
    "tables": Said("tables", "tables"),
    "period": Said("period", "période"),
    "newest": Said("newest month", "dernier mois"),
    "ages": Said("ages, nine of ten", "âges, neuf sur dix"),
    "years_old": Said("years", "ans"),
    "stay": Said("time in the dataset", "durée de présence"),
    "dimensions": Said("Six dimensions of technical quality", "Six dimensions de la qualité technique"),
    "dimension": Said("Dimension", "Dimension"),
    "share": Said("Share", "Part"),
    "counted": Said("Counted", "Décompte"),
    "measures": Said("What is measured", "Ce qui est mesuré"),
    "look": Said("Worth a look", "À regarder"),
    "nothing": Said("Nothing stands out.", "Rien de notable."),
    "look_note": Said(
        "Signs, not errors: none of them counts in a score.",
        "Des indices, non des erreurs : aucun ne compte dans la note.",
    ),
    "label": Said("Quality and utility label, Article 78(3)", "Label de qualité et d'utilité, article 78(3)"),
    "metric": Said("Metric", "Mesure"),
    "value": Said("Value", "Valeur"),
    "stated": Said("stated by the holder", "déclaré par le détenteur"),
    "not_stated": Said("not stated", "non déclaré"),
    "weight": Said("Weight", "Poids"),
    "informs": Said("informs", "indicatif"),
    "yes": Said("yes", "oui"),
    "no": Said("no", "non"),
    "days": Said("days", "jours"),
    "years": Said("years", "ans"),
    "trend": Said("Trend", "Évolution"),
    "trend_one": Said(
        "This is the first snapshot; a trend shows from the second on.",
        "Première version ; l'évolution se lit dès la deuxième.",
    ),
    "tables_title": Said("Tables", "Tables"),
    "table": Said("Table", "Table"),
    "delivered": Said("Delivered", "Livrées"),
    "stored": Said("Stored", "Gardées"),
    "set_aside": Said("Set aside", "Écartées"),
    "columns": Said("Columns", "Colonnes"),
    "column": Said("Column", "Colonne"),
    "type": Said("Type", "Type"),
    "distinct": Said("Different values", "Valeurs différentes"),
    "spread": Said("How values are spread", "Répartition des valeurs"),
    "by_year": Said("Rows by year", "Lignes par année"),
    "reasons": Said("Why rows were set aside", "Pourquoi des lignes ont été écartées"),
    "reason": Said("Reason", "Motif"),
    "expectations": Said("Expectations", "Attentes"),
    "expectation": Said("Expectation", "Attente"),
    "held": Said("held", "tenue"),
    "failed": Said("not held", "non tenue"),
    "all_held": Said("All {n} expectations hold.", "Les {n} attentes sont tenues."),
    "some_held": Said("{good} of {n} expectations hold.", "{good} attentes sur {n} sont tenues."),
    "none_checked": Said("Expectations were left out of this load.", "Les attentes n'ont pas été vérifiées."),
    "own": Said("the holder's own", "du détenteur"),
    "result": Said("Result", "Résultat"),
    "rows_failed": Said("Rows that fail", "Lignes en défaut"),
    "lineage": Said("Where it comes from", "D'où viennent les données"),
    "key": Said("Pseudonymisation", "Pseudonymisation"),
    "key_said": Said("domain {domain}, key version {version}", "domaine {domain}, version de clé {version}"),
    "plan": Said("Ingestion plan (SHA-256)", "Plan d'ingestion (SHA-256)"),
    "source": Said("Delivered file", "Fichier livré"),
    "size": Said("Size", "Taille"),
    "bytes": Said("bytes", "octets"),
    "hash": Said("SHA-256", "SHA-256"),
    "generalised": Said("Made coarser", "Généralisées"),
    "recoded": Said("Recoded", "Recodées"),
    "none": Said("none", "aucune"),
    "identifiers": Said("Identifying columns left out", "Colonnes identifiantes écartées"),
    "contents": Said("On this page", "Sur cette page"),
    "skip": Said("Skip to content", "Aller au contenu"),
    "few": Said("few", "peu"),
}

KINDS: Mapping[TableKind, Said] = {
    TableKind.PERSONS: Said("one row for each person", "une ligne par personne"),
    TableKind.EVENTS: Said("events", "évènements"),
    TableKind.LOOKUP: Said("public lookup", "nomenclature publique"),
}

TYPES: Mapping[ColumnType, Said] = {
    ColumnType.BOOLEAN: Said("yes or no", "oui ou non"),
    ColumnType.INTEGER: Said("whole number", "nombre entier"),
    ColumnType.DECIMAL: Said("number", "nombre"),
    ColumnType.DATE: Said("date", "date"),
    ColumnType.TIMESTAMP: Said("date and time", "date et heure"),
    ColumnType.CODE: Said("code", "code"),
    ColumnType.TEXT: Said("text", "texte"),
}

SIGNS: Mapping[Kind, Said] = {
    Kind.NO_ROWS: Said("The table has no rows.", "La table n'a aucune ligne."),
    Kind.EMPTY: Said("No value at all.", "Aucune valeur."),
    Kind.MOSTLY_EMPTY: Said("Filled in only {value} of the rows.", "Renseignée dans {value} des lignes seulement."),
    Kind.CONSTANT: Said("One value everywhere.", "Une seule valeur partout."),
    Kind.HEAPED: Said(
        "{value} of the values end in 0 or 5, where 20% would be usual: rounded or estimated?",
        "{value} des valeurs finissent par 0 ou 5, contre 20 % attendus : arrondies ou estimées ?",
    ),
    Kind.FIRST_DAYS: Said(
        "{value} of the dates are the first of a month, where 3% would be usual: is the day not known?",
        "{value} des dates sont un premier du mois, contre 3 % attendus : jour inconnu ?",
    ),
    Kind.FUTURE: Said("Dates after the day of the load: {number}.", "Dates postérieures au chargement : {number}."),
    Kind.SUDDEN: Said(
        "Months with less than half or more than twice the usual rows: {number}.",
        "Mois de moins de la moitié ou de plus du double des lignes habituelles : {number}.",
    ),
    Kind.FELL: Said(
        "{dimension} fell by {value} since the snapshot before.", "{dimension} : {value} de moins qu'avant."
    ),
    Kind.ROWS_CHANGED: Said(
        "Rows changed by {value} since the snapshot before.", "Lignes : {value} par rapport à avant."
    ),
}

SENTENCES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), french)
    for pattern, french in (
        (r"missing", "valeur manquante"),
        (r"no person identifier", "aucun identifiant de personne"),
        (r"the person identifier fails its declared normalisation", "identifiant de personne non conforme"),
        (r"several rows for one person", "plusieurs lignes pour une personne"),
        (r"the person is not in the table of persons", "personne absente de la table des personnes"),
        (r"not in the list of values", "hors de la liste de valeurs"),
        (r"not in lookup table (.+)", r"absente de la nomenclature \1"),
        (r"outside of (.+) to (.+)", r"hors de l'intervalle du \1 au \2"),
        (r"longer than (\d+) characters", r"plus longue que \1 caractères"),
        (r"holds control characters", "contient des caractères de contrôle"),
        (r"not true or false", "ni vrai ni faux"),
        (r"not a whole number", "pas un nombre entier"),
        (r"not a finite number in range", "pas un nombre fini dans les limites"),
        (r"not a date", "pas une date"),
        (r"not a date and time", "pas une date et heure"),
        (r"not a code", "pas un code"),
        (r"not a text", "pas un texte"),
        (r"all rows are there", "toutes les lignes sont là"),
        (r"all columns are there", "toutes les colonnes sont là"),
        (r"every row has a person", "chaque ligne a une personne"),
        (r"one row for each person", "une ligne par personne"),
        (r"row ranks are unique", "les rangs des lignes sont uniques"),
        (r"(\w+) is filled", r"\1 est renseignée"),
        (r"(\w+) is in its list of values", r"\1 est dans sa liste de valeurs"),
        (r"(\w+) is within its bounds", r"\1 est dans ses bornes"),
    )
)
"""Sentences the ingestion writes into its records, and their French."""


def translated(sentence: str, language: str) -> str:
    """A sentence of the ingestion; one that is not known, or a holder's own, stays as it is."""
    if language != "fr":
        return sentence
    column, colon, rest = sentence.partition(": ")
    said = rest if colon else sentence
    for pattern, french in SENTENCES:
        if pattern.fullmatch(said):
            return f"{column} : {pattern.sub(french, said)}" if colon else pattern.sub(french, said)
    return sentence


def in_language(text: Said, language: str) -> str:
    return text.fr if language == "fr" else text.en


def word(name: str, language: str) -> str:
    """A word of the report."""
    return in_language(WORDS[name], language)
