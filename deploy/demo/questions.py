"""The questions the demo asks, as an epidemiologist would write them, and what each is ready to pay."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Question:
    """A title for people, SQL, the epsilon of this answer alone, and how much one person may weigh (or the default)."""

    title: str
    sql: str
    epsilon: str
    groups: int | None = None
    rows: int | None = None


PATIENTS = Question(
    "Patients by sex and age on 1 January 2019",
    """
SELECT sex, BIN(2019 - year_of_birth, 30, 120, 15) AS age, COUNT(DISTINCT person) AS patients
FROM person
GROUP BY sex, age
""",
    epsilon="0.5",
)

HAEMORRHAGE_BY_DRUG = Question(
    "Patients with gastrointestinal haemorrhage after their first NSAID, by drug",
    """
WITH first_use AS (
  SELECT person, drug_concept_id, MIN(drug_exposure_start_date) AS since
  FROM drug_exposure
  WHERE drug_concept_id IN (1118084, 1124300)
  GROUP BY person, drug_concept_id
)
SELECT CASE WHEN u.drug_concept_id = 1118084 THEN 'celecoxib' ELSE 'diclofenac' END AS drug,
       COUNT(DISTINCT person) AS patients
FROM first_use u
JOIN condition_occurrence c ON c.person = u.person
WHERE c.condition_concept_id = 192671 AND c.condition_start_date >= u.since
GROUP BY drug
""",
    epsilon="0.8",
    groups=2,
    rows=1,
)

MEAN_AGE = Question(
    "Mean age at first gastrointestinal haemorrhage, by sex",
    """
WITH first_bleed AS (
  SELECT person, MIN(condition_start_date) AS bled_on
  FROM condition_occurrence
  WHERE condition_concept_id = 192671
  GROUP BY person
)
SELECT p.sex, AVG(CLAMP(YEAR(b.bled_on) - p.year_of_birth, 20, 100)) AS mean_age
FROM person p
JOIN first_bleed b ON b.person = p.person
GROUP BY p.sex
""",
    epsilon="0.8",
    groups=1,
    rows=1,
)

MEDIAN_DURATION = Question(
    "Median length of an acute bronchitis, in days",
    """
SELECT MEDIAN(CLAMP(DATE_DIFF('day', condition_start_date, condition_end_date), 0, 40)) AS days
FROM condition_occurrence
WHERE condition_concept_id = 260139
""",
    epsilon="0.5",
    groups=1,
    rows=15,
)

FREQUENT_CONDITIONS = Question(
    "Ten most frequent conditions (the list of conditions is not known beforehand)",
    """
SELECT k.concept_name AS condition, COUNT(DISTINCT person) AS patients
FROM condition_occurrence c
JOIN concept k ON k.concept_id = c.condition_concept_id
GROUP BY condition
ORDER BY patients DESC
LIMIT 10
""",
    epsilon="1",
    groups=30,
    rows=1,
)

QUESTIONS = (PATIENTS, HAEMORRHAGE_BY_DRUG, MEAN_AGE, MEDIAN_DURATION, FREQUENT_CONDITIONS)

TOO_DEAR = Question(
    "Patients by sex and race, wanted more precisely than the budget allows",
    """
SELECT sex, race, COUNT(DISTINCT person) AS patients
FROM person
GROUP BY sex, race
""",
    epsilon="2.5",
)

REPEATED = Question(
    "The first question once more, in other words",
    """
select p.sex as gender, bin(2019 - p.year_of_birth, 30, 120, 15) as age_group, count(distinct p.person) as n
from person as p group by 1, 2
""",
    epsilon="0.5",
)
