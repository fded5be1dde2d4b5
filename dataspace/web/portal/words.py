"""The words of the sign-in pages in English and French, and which of the two a browser gets."""

from fastapi import Request

LANGUAGES = ("en", "fr")

_WORDS: dict[str, tuple[str, str]] = {
    "skip": ("Skip to the content", "Aller au contenu"),
    "main": ("Main", "Principale"),
    "datasets": ("Datasets", "Jeux de données"),
    "register": ("Public register", "Registre public"),
    "other": ("Français", "English"),
    "other_lang": ("fr", "en"),
    "footer": (
        "Secondary use of health data under Regulation (EU) 2025/327. Only differentially private statistics leave this"
        " node.",
        "Utilisation secondaire des données de santé selon le règlement (UE) 2025/327. Seules des statistiques"
        " différentiellement confidentielles quittent ce nœud.",
    ),
    "sign_in": ("Sign in", "Se connecter"),
    "sign_out": ("Sign out", "Se déconnecter"),
    "with_provider": ("Sign in with your organisation", "Se connecter avec votre organisation"),
    "with_password": ("Sign in with a password", "Se connecter avec un mot de passe"),
    "login": ("Account name", "Nom du compte"),
    "password": ("Password", "Mot de passe"),
    "no_account": (
        "Accounts are opened by the operator of this node, who sends a one-time link.",
        "Les comptes sont ouverts par l'exploitant de ce nœud, qui envoie un lien à usage unique.",
    ),
    "not_done": ("This did not work", "Cela n'a pas fonctionné"),
    "wrong": (
        "The account name or the password is wrong. Try again, or ask the operator for a new one-time link.",
        "Le nom du compte ou le mot de passe est erroné. Réessayez, ou demandez un nouveau lien à l'exploitant.",
    ),
    "too_many": (
        "Too many attempts. Seconds to wait before the next one:",
        "Trop de tentatives. Secondes à attendre avant la prochaine :",
    ),
    "provider_refused": (
        "You could not be signed in with this identity. Try again, or ask the operator for a one-time link.",
        "La connexion avec cette identité a échoué. Réessayez, ou demandez un lien à usage unique à l'exploitant.",
    ),
    "provider_away": (
        "The identity provider cannot be reached. Try again, or tell the operator if it stays so.",
        "Le fournisseur d'identité est injoignable. Réessayez, ou prévenez l'exploitant si cela persiste.",
    ),
    "stale": (
        "The page was open too long. Fill it in once more.",
        "La page est restée ouverte trop longtemps. Remplissez-la de nouveau.",
    ),
    "link_over": (
        "This one-time link is unknown, used or expired. Ask the operator for a new one.",
        "Ce lien à usage unique est inconnu, déjà utilisé ou expiré. Demandez-en un nouveau à l'exploitant.",
    ),
    "invitation": ("Open your account", "Ouvrir votre compte"),
    "invited": ("This one-time link is for", "Ce lien à usage unique est destiné à"),
    "link_provider": ("Use the identity of your organisation", "Utiliser l'identité de votre organisation"),
    "new_password": ("New password", "Nouveau mot de passe"),
    "password_rule": (
        "12 characters or more, at least five different ones, and not your name.",
        "12 caractères ou plus, dont au moins cinq différents, et pas votre nom.",
    ),
    "bad_password": (
        "The password was not accepted: 12 characters or more, at least five different ones, and not your name.",
        "Le mot de passe n'est pas accepté : 12 caractères ou plus, dont au moins cinq différents, et pas votre nom.",
    ),
    "set_password": ("Set the password", "Enregistrer le mot de passe"),
    "password_is_set": ("The password is set. Sign in with it.", "Le mot de passe est enregistré. Connectez-vous."),
    "signed_out": ("You are signed out.", "Vous êtes déconnecté."),
    "account": ("My account", "Mon compte"),
    "name": ("Name", "Nom"),
    "organisation": ("Organisation", "Organisation"),
    "roles": ("Roles", "Rôles"),
    "identifier": ("Identifier", "Identifiant"),
    "tokens": ("Access tokens", "Jetons d'accès"),
    "tokens_lead": (
        "For the Python client, the command line and other programs. A token never may more than you.",
        "Pour le client Python, la ligne de commande et d'autres programmes. Un jeton ne peut jamais plus que vous.",
    ),
    "token_made": ("Your new token", "Votre nouveau jeton"),
    "shown_once": (
        "Copy it now: it is not shown again.",
        "Copiez-le maintenant : il ne sera plus affiché.",
    ),
    "no_tokens": ("You have no token.", "Vous n'avez pas de jeton."),
    "new_token": ("New token", "Nouveau jeton"),
    "make_token": ("Issue the token", "Créer le jeton"),
    "label": ("Label", "Libellé"),
    "label_hint": ("What it is for, for example: laptop.", "À quoi il sert, par exemple : ordinateur portable."),
    "valid_for": ("Valid for", "Valable"),
    "days": ("days", "jours"),
    "scopes": ("What it may do", "Ce qu'il peut faire"),
    "scopes_hint": ("Without a choice, all that you may.", "Sans choix, tout ce que vous pouvez."),
    "all_scopes": ("all that you may", "tout ce que vous pouvez"),
    "scope_read": ("read: applications, permits, budgets", "lire : demandes, autorisations, budgets"),
    "scope_query": ("query: ask, which spends the budget", "interroger : poser des questions, payées du budget"),
    "scope_apply": ("apply: file and withdraw applications", "demander : déposer et retirer des demandes"),
    "scope_decide": ("decide: assess, grant, refuse, revoke", "décider : évaluer, accorder, refuser, retirer"),
    "scope_opt-out": ("opt-out: record and read opt-outs", "opposition : enregistrer et lire des oppositions"),
    "scope_operate": ("operate: organisations, persons, roles", "exploiter : organisations, personnes, rôles"),
    "scope_account": ("account: your tokens and sessions", "compte : vos jetons et sessions"),
    "until": ("Valid until", "Valable jusqu'au"),
    "last_used": ("Last used", "Dernière utilisation"),
    "never": ("never", "jamais"),
    "action": ("Action", "Action"),
    "revoke": ("Revoke", "Révoquer"),
    "sessions": ("Where you are signed in", "Où vous êtes connecté"),
    "started": ("Since", "Depuis"),
    "seen": ("Last seen", "Dernière activité"),
    "this_one": ("this browser", "ce navigateur"),
    "end": ("Sign out there", "Y mettre fin"),
}

WORDS: dict[str, dict[str, str]] = {
    language: {key: said[place] for key, said in _WORDS.items()} for place, language in enumerate(LANGUAGES)
}


def language_of(request: Request) -> str:
    """What the address asks for, else what was chosen before, else the first of ours that the browser prefers."""
    for wanted in (request.query_params.get("lang"), request.cookies.get("lang")):
        if wanted in LANGUAGES:
            return str(wanted)
    for part in request.headers.get("accept-language", "").split(","):
        language = part.split(";")[0].strip()[:2].lower()
        if language in LANGUAGES:
            return language
    return LANGUAGES[0]
