//! Which names and values give a credential away. Names decide, because the client masks values before it uploads them.

const SECRET_WORDS: [&str; 9] =
    ["PASSWORD", "PASSWD", "PASS", "PASSPHRASE", "SECRET", "TOKEN", "CREDENTIAL", "CREDENTIALS", "APIKEY"];
const KEY_WORDS: [&str; 7] = ["API", "ACCESS", "PRIVATE", "SECRET", "SIGNING", "ENCRYPTION", "MASTER"];
/// A name that ends so holds something about a credential, not the credential.
const ABOUT_WORDS: [&str; 23] = [
    "FILE",
    "PATH",
    "DIR",
    "NAME",
    "TTL",
    "EXPIRY",
    "EXPIRATION",
    "TIMEOUT",
    "LENGTH",
    "ENABLED",
    "URL",
    "URI",
    "HOST",
    "PORT",
    "ISSUER",
    "TYPE",
    "ID",
    "REF",
    "MODE",
    "SECONDS",
    "AUDIENCE",
    "ALGORITHM",
    "ENDPOINT",
];
const SWITCHES: [&str; 8] = ["true", "false", "yes", "no", "on", "off", "none", "null"];

/// Whether a variable of this name and value holds a credential in the open: `DB_PASSWORD=x` does, `DB_PASSWORD_FILE=x`,
/// `TOKEN=$TOKEN` and `ALLOW_EMPTY_PASSWORD=yes` don't, `DATABASE_URL=postgres://u:p@db` does.
pub(super) fn is_exposed(name: &str, value: &str) -> bool {
    let value = value.trim();
    if value.is_empty() || is_reference(value) || SWITCHES.contains(&value.to_ascii_lowercase().as_str()) {
        return false;
    }
    has_user_info(value) || (is_secret_name(name) && !value.starts_with('/'))
}

fn is_reference(value: &str) -> bool {
    value.starts_with('$') || value.contains("{{")
}

fn is_secret_name(name: &str) -> bool {
    let words = words(name);
    let Some(last) = words.last() else { return false };
    if ABOUT_WORDS.contains(&last.as_str()) {
        return false;
    }
    words.iter().any(|word| SECRET_WORDS.contains(&word.as_str()))
        || words.windows(2).any(|pair| pair[1] == "KEY" && KEY_WORDS.contains(&pair[0].as_str()))
}

/// `dbPassword` and `DB_PASSWORD` alike are `DB`, `PASSWORD`.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_lower = false;
    for char in name.chars() {
        let starts_word = !char.is_ascii_alphanumeric() || (was_lower && char.is_ascii_uppercase());
        if starts_word {
            words.push(String::new());
        }
        if char.is_ascii_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.push(char.to_ascii_uppercase());
        }
        was_lower = char.is_ascii_lowercase();
    }
    words.retain(|word| !word.is_empty());
    words
}

/// `scheme://user:password@host`, where the password is not itself a reference.
fn has_user_info(value: &str) -> bool {
    let Some((_, rest)) = value.split_once("://") else { return false };
    let authority = rest.split(['/', '?', '#', ' ']).next().unwrap_or_default();
    let Some((user_info, _)) = authority.rsplit_once('@') else { return false };
    user_info.split_once(':').is_some_and(|(_, password)| !password.is_empty() && !is_reference(password))
}

#[cfg(test)]
mod tests {
    use super::is_exposed;

    #[test]
    fn credentials_are_told_from_what_is_about_them() {
        let exposed = [
            ("DB_PASSWORD", "hunter2"),
            ("dbPassword", "hunter2"),
            ("stripe.api-key", "k"),
            ("AWS_SECRET_ACCESS_KEY", "********"),
            ("DATABASE_URL", "postgres://shop:hunter2@db:5432/shop"),
        ];
        let hidden = [
            ("DB_PASSWORD", ""),
            ("DB_PASSWORD", "$(DB_PASSWORD)"),
            ("DB_PASSWORD", "{{ .Values.password }}"),
            ("DB_PASSWORD_FILE", "db-password"),
            ("TOKEN", "/var/run/secrets/token"),
            ("ALLOW_EMPTY_PASSWORD", "yes"),
            ("TOKEN_TTL", "3600"),
            ("KEY", "sort-key"),
            ("DATABASE_URL", "postgres://shop:$(DB_PASSWORD)@db:5432/shop"),
            ("DATABASE_URL", "postgres://shop@db:5432/shop"),
            ("COMPASS", "north"),
        ];
        let judged = |pairs: &[(&'static str, &'static str)]| -> Vec<(&'static str, &'static str)> {
            pairs.iter().copied().filter(|(name, value)| is_exposed(name, value)).collect()
        };
        assert_eq!(judged(&exposed), exposed);
        assert_eq!(judged(&hidden), []);
    }
}
