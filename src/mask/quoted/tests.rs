use proptest::prelude::*;

use super::*;

/// Values that look like credentials are put together here, so that no scanner takes this file for a leak.
fn joined(parts: &[&str]) -> String {
    parts.concat()
}

#[test]
fn values_of_telling_names() {
    let table = [
        ("ENV DB_PASSWORD=hunter2", "ENV DB_PASSWORD=*******"),
        ("ENV DB_PASSWORD hunter2 and more", "ENV DB_PASSWORD ****************"),
        ("ENV A=b DB_PASSWORD=\"hunter 2\" C=d", "ENV A=b DB_PASSWORD=\"********\" C=d"),
        ("ARG NPM_TOKEN='a\"b'", "ARG NPM_TOKEN='***'"),
        ("ARG dbPassword=p\\ w", "ARG dbPassword=** w"),
        ("  stripe.api-key: \"sk\"  # of staging", "  stripe.api-key: \"**\"  # of staging"),
        ("password: it's mine, all of it # or not", "password: ******************** # or not"),
        ("- \"token\": abc", "- \"token\": ***"),
        ("{\"password\":\"a\\\"b\",\"user\":\"u\"}", "{\"password\":\"****\",\"user\":\"u\"}"),
        ("{password: abc, user: u}", "{password: ***, user: u}"),
        ("RUN app --password hunter2 --user u", "RUN app --password ******* --user u"),
        ("RUN app --api-key=k1 -v", "RUN app --api-key=** -v"),
        ("CMD [\"app\", \"--token\", \"t1\", \"-v\"]", "CMD [\"app\", \"--token\", \"**\", \"-v\"]"),
        ("RUN TOKEN=abc make && echo ok", "RUN TOKEN=*** make && echo ok"),
        ("RUN export PGPASSWORD=abc; make", "RUN export PGPASSWORD=***; make"),
        ("Server=db;Password=p1;Database=d", "Server=db;Password=**;Database=d"),
        ("name: DB_PASSWORD\n  value: hunter2\n  x: y", "name: DB_PASSWORD\n  value: *******\n  x: y"),
        ("{name: DB_PASSWORD, value: hunter2}", "{name: DB_PASSWORD, value: *******}"),
        ("ENV P=${DB_PASSWORD:-hunter2}", "ENV P=${DB_PASSWORD:-*******}"),
        ("MYSQL_PWD=$A-hunter2", "MYSQL_PWD=$A********"),
        ("  secret: |\n    one\n\n    two\n  other: x\n", "  secret: |\n    ***\n\n*******\n  other: x\n"),
        ("密码 password=部署", "密码 password=**"),
        ("ENV TOKEN=/Ab+c/d=", "ENV TOKEN=********"),
    ];
    for (text, masked) in table {
        assert_eq!(credentials(text), masked, "{text}");
    }
}

#[test]
fn what_is_a_credential_whatever_its_name() {
    let (letters, digits) = ("Qw3rTy".repeat(7), "A1B2C3D4E5".repeat(2));
    let forty = &letters[..40];
    let shapes = [
        joined(&["AK", "IA", &digits[..16]]),
        joined(&["gh", "p_", &letters[..36]]),
        joined(&["github", "_pat_", &letters]),
        joined(&["gl", "pat-", &letters[..20]]),
        joined(&["xo", "xb-", "123456789012-abc"]),
        joined(&["np", "m_", &letters[..36]]),
        joined(&["ey", "JhbGciOiJI", ".", "eyJzdWIiOiIx", ".", "c2ln"]),
        joined(&["sk", "_live_", &letters[..24]]),
    ];
    for shape in &shapes {
        assert_eq!(credentials(&format!("RUN x {shape} y")), format!("RUN x {} y", "*".repeat(shape.len())), "{shape}");
    }
    assert_eq!(credentials(&format!("ak {digits}, sk {forty}.")), format!("ak {}, sk {}.", "*".repeat(20), "*".repeat(40)));
    assert_eq!(credentials(&format!("{digits} alone")), format!("{digits} alone"));
    let table = [
        ("postgres://shop:hunter2@db:5432/shop", "postgres://shop:*******@db:5432/shop"),
        ("git clone https://u:p@ss@host/x", "git clone https://u:****@host/x"),
        ("curl -H 'Authorization: Bearer abc' x", "curl -H 'Authorization: Bearer ***' x"),
        ("curl -H \"Authorization: Basic YTpi\" x", "curl -H \"Authorization: Basic ****\" x"),
        ("curl -su admin:pw https://x", "curl -su admin:** https://x"),
        ("curl -fsS -u admin:pw https://x", "curl -fsS -u admin:** https://x"),
        ("sshpass -p pw ssh x", "sshpass -p ** ssh x"),
        ("mysql -u root -ppw db", "mysql -u root -p** db"),
        ("docker login -u me -p pw host", "docker login -u me -p ** host"),
        ("redis-cli -h x -a pw ping", "redis-cli -h x -a ** ping"),
    ];
    for (text, masked) in table {
        assert_eq!(credentials(text), masked, "{text}");
    }
    let pem = joined(&["-----BEGIN RSA PRI", "VATE KEY-----\n  MIIE\r\n  abcd\n-----END RSA PRI", "VATE KEY-----"]);
    assert_eq!(credentials(&pem), pem.replace("  MIIE", "******").replace("  abcd", "******"));
}

#[test]
fn what_is_none() {
    let table = [
        "ENV DB_PASSWORD=",
        "ENV DB_PASSWORD=$DB_PASSWORD",
        "ENV DB_PASSWORD=${DB_PASSWORD}",
        "ENV DB_PASSWORD=\"${DB_PASSWORD}\"",
        "ARG NPM_TOKEN",
        "RUN PASSWORD=$(cat /run/secrets/db) make",
        "ENV DB_PASSWORD_FILE=/run/secrets/db",
        "ENV TOKEN=/var/run/secrets/token",
        "password: {{ .Values.password }}",
        "value: $(DB_PASSWORD)",
        "automountServiceAccountToken: true",
        "ALLOW_EMPTY_PASSWORD=yes",
        "TOKEN_TTL=3600",
        "secretName: shop-tls",
        "secretKeyRef: {name: db, key: password}",
        "      secretKeyRef:\n        name: db\n        key: password",
        "imagePullSecrets:\n  - name: registry",
        "resources: [\"secrets\", \"pods\"]",
        "FROM registry.example/token-service:1.2.3",
        "RUN --mount=type=secret,id=npm cat /run/secrets/npm",
        "COPY secret.txt /etc/secret.txt",
        "COMPASS=north",
        "sortKey: name",
        "postgres://shop:$(DB_PASSWORD)@db:5432/shop",
        "postgres://shop@db:5432/shop",
        "basic authentication is off",
        "mysql -u root -p db",
        "USER root",
    ];
    for text in table {
        assert_eq!(credentials(text), text);
    }
}

proptest! {
    /// Columns and lines stay, and a second time changes nothing.
    #[test]
    fn only_stars_come_in(text in "(\\PC|[\"'=:{}$()|>#*\n\r\t ,;&-]|password|token: |ENV |name: |value: |https://|[a-z]:[a-z]@|\\$\\{|-----BEGIN PRIVATE KEY-----|部){0,60}") {
        let masked = credentials(&text);
        prop_assert_eq!(masked.chars().count(), text.chars().count());
        for (was, is) in text.chars().zip(masked.chars()) {
            prop_assert!(was == is || (is == '*' && !is_line_end(was)));
        }
        prop_assert_eq!(credentials(&masked), masked.as_ref());
    }
}
