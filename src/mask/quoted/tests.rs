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
        ("ARG dbPassword=p\\ w", "ARG dbPassword=****"),
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

/// Each is masked where a `§` stands at both of its ends, and nowhere else.
fn check(mask: impl Fn(&str) -> String, texts: &[&str]) {
    for marked in texts {
        let text = marked.replace('§', "");
        let stars = marked.split('§').enumerate().map(|(nth, part)| match nth % 2 {
            0 => part.to_owned(),
            _ => part.chars().map(|c| if c == '\n' { c } else { '*' }).collect(),
        });
        assert_eq!(mask(&text), stars.collect::<String>(), "{marked}");
    }
}

#[test]
fn a_manifest_is_masked_by_its_tree() {
    let mask = |text: &str| file(FileType::K8sYaml, text.to_owned());
    check(
        mask,
        &[
            "env:\n- value: §hunter2§\n  name: DB_PASSWORD\n",
            "env:\n- name: DB_PASSWORD\n  # why\n\n  # and how\n  value: §hunter2§\n",
            "{\"env\": [{\"value\": \"§a\\\"b§\", \"name\": \"DB_PASSWORD\"}, {\"name\":\"A\",\"value\":\"b\"}]}",
            "env:\n- name: DB_PASSWORD\n  value:\n    §hunter2\n    more§\n- name: A\n  value: b\n",
            "env:\n- name: DB_PASSWORD\n  value: >-\n    §hunter2\n    more§\n- name: A\n  value: b\n",
            "data:\n  db.password: §$ecret|{[}§\n  db.user: $x\n",
            "a: &p §hunter22§\nenv: [{name: API_TOKEN, value: *p}]\n",
            "env: [{name: PASSWORD, value: $(DB_PASSWORD)}, {name: PASSWORD, value: $(A)§-b§}]\n",
            "args: [--user, u, --password, '§hunter 2§', --requirepass, §x1§]\n",
            "args:\n- mysql\n- -uroot\n- -p§hunter2§\n- db\n",
            "command: [\"sh\", \"-c\", \"PASSWORD=§abc§ make\"]\n",
            "script: |\n  export TOKEN=§abc§\n  run --password-stdin\n",
            "# password: §hunter2§\na: b # token=§x1§\n",
            "passwords: [§one§, §two§]\nsecrets: [one, two]\n",
            "env:\n- name: MYSQL_DSN\n  value: shop:§hunter2§@tcp(db:3306)/shop\n",
            "- name: Authorization\n  value: §Bearer abc§\n",
            "API_TOKEN: {default: §x1§, description: of x}\nPASSWORD:\n  value: §x1§\n  secretKeyRef: {name: db, key: x}\n",
            "erlangCookie: §x1§\n",
            "cfg: '{\"password\":\"§x1§\",\"user\":\"u\"}'\ncfg2: \"{\\\"password\\\":\\\"§x1§\\\",\\\"user\\\":\\\"u\\\"}\"\n",
            // What is no YAML is text.
            "a: {\nname: DB_PASSWORD\nvalue: §hunter2§\n",
            "a: {\npassword: §hunter2§\n---\npassword: §hunter2§\n",
            "{{ if x }}\n- value: §hunter2§\n  name: DB_PASSWORD\n- name: A\n  value: b\n",
            "a: {\npassword: |\n  §one\n  two§\ntoken:\n  §three§\nuser: u\n",
        ],
    );
}

#[test]
fn a_dockerfile_is_masked_by_its_instructions() {
    let mask = |text: &str| file(FileType::Dockerfile, text.to_owned());
    check(
        mask,
        &[
            "ENV A=b \\\n  # a comment: TOKEN=§x1§\n  DB_PASSWORD=§a}b|c{d[e§ \\\n  C=d\n",
            "ENV DB_PASSWORD=§one\\ two\\ three§ B=c\n",
            "ENV DB_PASSWORD=\"§one two} |§\" B='c d'\n",
            "ENV DB_PASSWORD=§\"one\"two' three'§ B=c\n",
            "ENV DB_PASSWORD §'$x' more of it§\n",
            "ENV DB_PASSWORD='§$x§'\n",
            "ENV DB_PASSWORD=§one§\\\n§two§\n",
            "# escape=`\nENV DB_PASSWORD=§a` b§ C=D:\\x\n",
            "ARG TOKEN=§a,b}§\nARG NPM_TOKEN\nARG A=${TOKEN:-§x§}\n",
            "LABEL api-token=§{x}§ b=c\n",
            "ONBUILD ENV DB_PASSWORD=§[x§\n",
            "ENV CS=\"Server=db;Password=§p1§;Database=d\"\n",
            "RUN app --password \\\n    §hunter2§ \\\n    --user u\n",
            "RUN PASSWORD=§x§\\\n§y§ make\n",
            "RUN <<EOF\nexport TOKEN=§abc§\nchpasswd <<X\nroot:§pw1§\nX\nEOF\nUSER a:b\n",
        ],
    );
}

#[test]
fn credentials_of_tools_and_addresses() {
    check(
        |text| credentials(text).into_owned(),
        &[
            "git clone https://§ghp_x§@host/x",
            "git clone https://§token§@host/x && git clone https://git@host/@y",
            "https://§tok§:x-oauth-basic@host ssh://git@host https://${TOKEN}@host https://u:$TOKEN@host",
            "psql postgres://u:§p/w?d§@host/db",
            "RUN echo \"root:§hunter2§\" | chpasswd && echo a:b",
            "RUN echo 'root:§hunter;2 x§' | /usr/sbin/chpasswd",
            "RUN chpasswd <<< 'root:§hunter2§'",
            "RUN echo \"root:$PW\" | chpasswd",
            "RUN echo -n §hunter2§ | docker login -u x --password-stdin",
            "RUN echo $TOKEN | docker login -u x --password-stdin",
            "RUN echo -e \"§pw\\npw§\" | passwd root",
            "machine x login y password §z§",
            "RUN printf 'machine x\\nlogin y\\npassword §z1§' > ~/.netrc",
            "redis-server --requirepass §X§ --port 1",
            "CMD [\"redis-server\", \"--requirepass\", \"§X§\"]",
            "mysql -p§X§ -u root && sshpass -p§X§ ssh && sshpass -p \"§X y§\" ssh && docker login -p§X§ && docker run -p 80:80",
            "mysql -u a -p§X§ < x; mysqldump -p§Y§; mkdir -p foo",
            "CMD [\"mysql\", \"-p§X§\", \"-u\", \"root\"]",
            "app --password §X§; app --db-password=§X§",
            "ROOT_PW=§a§ PGPASS=§b§ PGPASSWORD=§c§ VAULT_SECRET_ID=§d§ SSH_KEY_PASSPHRASE=§e§ x",
            "ENV SHOP_DSN=u:§p§@db/x",
            "curl -H 'Authorization:Bearer §x§' -H \"X-Auth-Token:§y§\" -H 'authorization: §z§'",
            "curl --user \"a:§b c§\" x",
            "{\"value\": \"§x§\", \"name\": \"DB_PASSWORD\"}, {\"name\": \"B\", \"value\": \"x\"}",
            "openssl rsa -passin pass:§x§ -passout env:PW",
            "PASSWORD=§abc\"d e\"f§ x",
            "PASSWORD=\"$A\"§hunter2§ x",
            "password=§123456§ token=12",
        ],
    );
}

#[test]
fn credentials_that_a_program_is_told() {
    check(
        |text| credentials(text).into_owned(),
        &[
            "mysql -e \"ALTER USER 'x'@'%' IDENTIFIED BY '§a b§'; SELECT 'c'\"",
            "alter user x identified with caching_sha2_password by \\\"§x1§\\\";",
            "psql -c \"ALTER ROLE x WITH PASSWORD '§it''s§' LOGIN\" && psql -c 'CREATE ROLE x PASSWORD '\\''§x1§'\\'''",
            "psql -c \"ALTER ROLE x PASSWORD '$PW'\"",
            "npm config set //registry.example.com/:_authToken §x1§ && make",
            "aws configure set aws_secret_access_key '§x1§' && git config --global user.password §x1§",
            "echo \"requirepass §x1§\" >> redis.conf && echo masterauth §x1§ >> redis.conf",
            "keytool -storepass §x1§ -keypass §y1§ -list",
            "mongosh -u x -p §x1§ --quiet; twine upload -u x -p §x1§ dist/*; 7z a -p§x1§ a.7z b",
            "zip -P §x1§ a.zip b && ldapadd -D cn=x -w §x1§",
            "rabbitmqctl add_user admin §x1§ && rabbitmqctl -n x change_password admin \"§y1§\"",
            "htpasswd -B -bc /etc/x admin §x1§ && htpasswd -nbB admin §y1§ > x",
            "docker login -u u --password-stdin <<< \"§x1§\"",
        ],
    );
}

#[test]
fn credentials_in_markup() {
    check(
        |text| credentials(text).into_owned(),
        &[
            "<server><username>u</username><password>§a b§</password></server>",
            "<password>${PW}</password><password></password><password/>",
            "<property name=\"db.password\" value=\"§x1§\"/><property name=\"a\" value=\"b\"/>",
            "<add key=\"ApiToken\" value='§x1§' /><add value=\"a\" key=\"b\"/>",
            "<name>javax.jdo.option.ConnectionPassword</name>\n<value>§x1§</value>\n<name>a</name><value>b</value>",
            "<property name=\"db.password\"/> <property value=\"b\"/>",
        ],
    );
}

#[test]
fn what_must_stay_readable() {
    for text in [
        "generateName: global-rate-limit-of-all-services-",
        "RUN npm config set registry https://x && git config user.name x",
        "RUN kubectl config set-credentials x && mkdir -p mongo",
        "# how to config the auth token for x",
        "RUN zip -r a.zip b && htpasswd -c /etc/x admin",
        "RUN pip install tokenizers==1.2 token==2.0",
        "maxTokens: 100",
        "tokenizer: foo",
        "RUN docker login --password-stdin < x && app --no-password x",
        "token_limit=5",
        "token: 12",
        "tokenValidity: 30s",
        "secretName: foo",
        "secretKeyRef: {name: db, key: password}",
        "automountServiceAccountToken: false",
        "TOKEN=/run/secrets/x",
        "TOKEN=${HOME}/token",
        "RUN --mount=type=secret,id=token,target=/x cat /x",
        "RUN docker build --secret id=token,src=x .",
        "RUN cat /etc/passwd | grep root:x",
        "image: repo:tag@sha256:0123",
        "https://host:8443/a@b",
        "RUN test \"$TOKEN\" == x",
    ] {
        assert_eq!(credentials(text), text);
        assert_eq!(file(FileType::K8sYaml, text.to_owned()), text);
        assert_eq!(file(FileType::Dockerfile, text.to_owned()), text);
    }
}

/// A spelling with `§` where the credential stands, how long it is, and what it is made of.
fn spelling() -> impl Strategy<Value = (FileType, &'static str, &'static str)> {
    use FileType::{Dockerfile, K8sYaml};
    prop::sample::select(vec![
        (K8sYaml, "- value: §\n  name: DB_PASSWORD\n", ""),
        (K8sYaml, "- value: '§'\n  name: DB_PASSWORD\n", "}|{[],: #&$"),
        (K8sYaml, "{\"name\": \"DB_PASSWORD\", \"value\": \"§\"}", "}|{[],:' #&$"),
        (K8sYaml, "name: DB_PASSWORD\nvalue: |\n  §\n", "}|{[],:'\" #&$"),
        (K8sYaml, "args: [--password, '§']", "}|{[],: #&$"),
        (Dockerfile, "ENV A=b DB_PASSWORD=§ C=d", "}|{[],:#&;"),
        (Dockerfile, "ENV DB_PASSWORD=\"§\" C=d", "}|{[],:' #&;"),
        (Dockerfile, "ENV DB_PASSWORD §", "}|{[],:'\" #&;"),
        (Dockerfile, "RUN app \\\n --password '§'", "}|{[],: #&;$"),
        (Dockerfile, "RUN echo 'root:§' | chpasswd", "}|{[],: #&;"),
        (Dockerfile, "RUN mysql -p§ x", "}{[],:#"),
        (Dockerfile, "RUN git clone https://§@host/x", ":"),
        (Dockerfile, "RUN git clone https://u:§@host/x", ":"),
        (Dockerfile, "RUN curl -H 'Authorization: Bearer §'", ""),
        (Dockerfile, "RUN echo machine x login y password § >x", ""),
    ])
}

proptest! {
    #[test]
    fn no_credential_is_left((kind, spelling, signs) in spelling(), letters in "[A-Z][a-z]{3}[A-Z0-9]{3,20}x", extra in prop::collection::vec((1usize..6, any::<prop::sample::Index>()), 0..3)) {
        let mut secret = letters;
        for (at, sign) in extra {
            if !signs.is_empty() {
                let signs: Vec<char> = signs.chars().collect();
                secret.insert(at, signs[sign.index(signs.len())]);
            }
        }
        let text = spelling.replace('§', &secret);
        let masked = file(kind, text.clone());
        prop_assert!(secret.split([' ', '#']).filter(|part| part.len() > 4).all(|part| !masked.contains(part)), "{masked}");
        prop_assert_eq!(masked.chars().count(), text.chars().count());
    }

    /// Whole files keep their lines and columns, whatever they hold.
    #[test]
    fn files_keep_their_shape(text in "(\\PC|[\"'=:{}$()|>#*\n\r\t ,;&-]|password|token: |ENV |RUN |name: |value: |\\\\\n|<<E|部|é){0,60}") {
        for kind in [FileType::K8sYaml, FileType::Dockerfile] {
            let masked = file(kind, text.clone());
            prop_assert_eq!(masked.chars().count(), text.chars().count());
            for (was, is) in text.chars().zip(masked.chars()) {
                prop_assert!(was == is || (is == '*' && !is_line_end(was)));
            }
        }
    }

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
