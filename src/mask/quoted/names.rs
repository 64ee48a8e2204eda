//! Which names tell of a credential.

/// Longer ones are no names.
const LONGEST: usize = 128;
/// A word that holds one of these does, whatever stands around it.
const STRONG: [&str; 4] = ["password", "passwd", "passphrase", "requirepass"];
/// A word that ends in one of these does, also in the plural: `authtoken`, but not `tokenizer`.
const ENDINGS: [&str; 3] = ["secret", "token", "jwt"];
/// Words that do one after the other.
const PHRASES: [&str; 16] = [
    "accesskey",
    "accountkey",
    "apikey",
    "authkey",
    "authorization",
    "clientkey",
    "connectionstring",
    "credential",
    "encryptionkey",
    "erlangcookie",
    "masterkey",
    "privatekey",
    "secretkey",
    "sharedkey",
    "signingkey",
    "sshkey",
];
/// The last word of a name that does.
const LAST: [&str; 17] = [
    "auth",
    "dbpass",
    "dbpw",
    "keypass",
    "masterauth",
    "pass",
    "pat",
    "pgpass",
    "psk",
    "pw",
    "pwd",
    "rootpw",
    "sk",
    "sshpass",
    "storepass",
    "userpass",
    "userpw",
];
/// Names that end in one of these words tell something about a credential.
const ABOUT: [&str; 75] = [
    "algorithm",
    "annotation",
    "annotations",
    "audience",
    "cache",
    "class",
    "count",
    "dir",
    "driver",
    "duration",
    "enabled",
    "encoding",
    "endpoint",
    "env",
    "expiration",
    "expiry",
    "fd",
    "field",
    "file",
    "files",
    "format",
    "header",
    "helper",
    "host",
    "id",
    "interval",
    "issuer",
    "label",
    "labels",
    "length",
    "lifetime",
    "limit",
    "limits",
    "location",
    "max",
    "min",
    "mode",
    "name",
    "names",
    "namespace",
    "path",
    "period",
    "policy",
    "port",
    "prefix",
    "prompt",
    "provider",
    "ref",
    "refs",
    "renewal",
    "request",
    "requests",
    "required",
    "retention",
    "review",
    "rotation",
    "scope",
    "scopes",
    "seconds",
    "selector",
    "service",
    "size",
    "stdin",
    "store",
    "strategy",
    "suffix",
    "template",
    "timeout",
    "ttl",
    "type",
    "uri",
    "url",
    "usage",
    "validity",
    "version",
];
/// So do names that begin with one of these.
const NOT: [&str; 9] = ["ask", "existing", "max", "min", "no", "num", "skip", "total", "without"];
/// Ends of names that say which object holds it.
const OBJECTS: [&str; 4] = ["authsecret", "pullsecret", "tlssecret", "casecret"];

/// Whether the value of a name is a credential.
pub(super) fn is_secret(name: &str) -> bool {
    let Some(words) = words(name) else { return false };
    let (Some(first), Some(last)) = (words.first(), words.last()) else { return false };
    let joined = words.concat();
    // HashiCorp Vault logs in with one.
    if joined.ends_with("secretid") {
        return true;
    }
    if ABOUT.contains(&last.as_str()) || NOT.contains(&first.as_str()) || OBJECTS.iter().any(|end| joined.ends_with(end)) {
        return false;
    }
    let is_phrase = PHRASES.iter().any(|phrase| joined.contains(phrase));
    // `passwordKey` names the key of a Secret.
    if last == "key" {
        return is_phrase;
    }
    is_phrase
        || LAST.contains(&last.as_str())
        || last.ends_with("pwd")
        || words.iter().any(|word| is_strong(word) || ends_like_one(word))
}

/// Whether the value of a name is what somebody types, which may be a number.
pub(super) fn is_password(name: &str) -> bool {
    words(name).is_some_and(|words| {
        let last = words.last().map(String::as_str).unwrap_or_default();
        words.iter().any(|word| is_strong(word)) || matches!(last, "pass" | "pw" | "pin") || last.ends_with("pwd")
    })
}

/// Whether a value is an address of the kind `user:password@tcp(host)/base`.
pub(super) fn is_dsn(name: &str) -> bool {
    words(name).is_some_and(|words| words.last().is_some_and(|last| last.ends_with("dsn")))
}

fn is_strong(word: &str) -> bool {
    STRONG.iter().any(|strong| word.contains(strong)) && !word.ends_with("less") && !word.ends_with("file")
}

fn ends_like_one(word: &str) -> bool {
    // `secrets` are a list of names.
    let singular = if word == "secrets" { word } else { word.strip_suffix('s').unwrap_or(word) };
    ENDINGS.iter().any(|ending| singular.ends_with(ending))
}

/// `dbPassword2` and `DB_PASSWORD` alike are `db`, `password`; `None` where it is no name.
fn words(name: &str) -> Option<Vec<String>> {
    if name.len() > LONGEST {
        return None;
    }
    let mut words = vec![String::new()];
    let mut was_lower = false;
    for c in name.chars() {
        if !c.is_ascii_alphanumeric() || (was_lower && c.is_ascii_uppercase()) {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| c.is_ascii_alphanumeric()) {
            word.push(c.to_ascii_lowercase());
        }
        was_lower = c.is_ascii_lowercase() || c.is_ascii_digit();
    }
    for word in &mut words {
        word.truncate(word.trim_end_matches(|c: char| c.is_ascii_digit()).len());
    }
    words.retain(|word| !word.is_empty());
    Some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_credentials() {
        for name in [
            "DB_PASSWORD",
            "dbPassword",
            "DBPASSWORD",
            "db.password.2",
            "passwd",
            "PGPASSWORD",
            "PGPASS",
            "ROOT_PW",
            "SSH_KEY_PASSPHRASE",
            "VAULT_SECRET_ID",
            "secret",
            "client-secret",
            "X-Auth-Token",
            "PRIVATE-TOKEN",
            "authtoken",
            "GITHUB_PAT",
            "HW_SK",
            "apiKey",
            "API_KEY",
            "stripe.api-key",
            "AWS_SECRET_ACCESS_KEY",
            "SECRET_KEY_BASE",
            "MYSQL_PWD",
            "password_hash",
            "requirepass",
            "AZURE_STORAGE_CONNECTION_STRING",
            "Authorization",
            "tokens",
            "spring.datasource.password",
            "GITHUB_TOKEN_2",
        ] {
            assert!(is_secret(name), "{name}");
        }
    }

    #[test]
    fn names_of_other_things() {
        for name in [
            "",
            "name",
            "tokenizers",
            "tokenizer",
            "maxTokens",
            "max_new_tokens",
            "token_limit",
            "password-stdin",
            "no-password",
            "secretName",
            "secretKeyRef",
            "secrets",
            "imagePullSecrets",
            "imagePullSecret",
            "existingSecret",
            "passwordKey",
            "DB_PASSWORD_FILE",
            "PGPASSFILE",
            "TOKEN_TTL",
            "COMPASS",
            "sortKey",
            "passwordless",
            "key",
            "tokenExpirationSeconds",
            "nginx.ingress.kubernetes.io/auth-secret",
            "nginx.ingress.kubernetes.io/auth-type",
            "path",
            "secretary",
            "AWS_ACCESS_KEY_ID",
        ] {
            assert!(!is_secret(name), "{name}");
        }
        assert!(!is_secret(&"password".repeat(50)));
    }
}
