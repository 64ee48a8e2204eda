use super::scan;

/// Whole result of a scan as `id instruction` lines.
fn found(text: &str) -> Vec<String> {
    let risks = scan(text.as_bytes()).unwrap();
    risks.iter().map(|risk| format!("{} {}", risk.rule_id, risk.build_instruction.as_deref().unwrap_or("-"))).collect()
}

/// An image that breaks no rule, with these lines before its end.
fn clean_with(lines: &str) -> String {
    format!("FROM alpine:3.22\n{lines}\nHEALTHCHECK NONE\nUSER 10001\n")
}

#[test]
fn each_rule_fires_on_its_instruction_alone() {
    let cases = [
        (
            "SI-DF-003",
            "FROM alpine AS tools\nFROM alpine:latest AS more\nFROM alpine:3.22",
            "FROM alpine AS tools\nFROM alpine:latest AS more",
        ),
        ("SI-DF-004", "ADD https://example.com/a.tgz /a.tgz", "ADD https://example.com/a.tgz /a.tgz"),
        ("SI-DF-005", "ADD app /app\nADD [\"a b\", \"/app\"]", "ADD app /app\nADD [\"a b\", \"/app\"]"),
        ("SI-DF-006", "ENV A=b DB_PASSWORD='not real'", "ENV A=b DB_PASSWORD='not real'"),
        ("SI-DF-006", "ENV DB_PASSWORD not real", "ENV DB_PASSWORD not real"),
        ("SI-DF-007", "ARG NPM_TOKEN=not-real", "ARG NPM_TOKEN=not-real"),
        (
            "SI-DF-009",
            "RUN curl -fsSL https://example.com/i.sh | sudo_less=1 bash -s",
            "RUN curl -fsSL https://example.com/i.sh | sudo_less=1 bash -s",
        ),
        (
            "SI-DF-009",
            "RUN [\"sh\", \"-c\", \"wget -qO- https://example.com | sh\"]",
            "RUN [\"sh\", \"-c\", \"wget -qO- https://example.com | sh\"]",
        ),
        ("SI-DF-009", "RUN <<EOF\ncurl https://example.com |\\\n  sh\nEOF", "RUN <<EOF"),
        (
            "SI-DF-010",
            "RUN apt-get install -y jq && rm -rf /var/lib/apt/lists/*",
            "RUN apt-get install -y jq && rm -rf /var/lib/apt/lists/*",
        ),
        (
            "SI-DF-011",
            "RUN apt-get install -y --no-install-recommends jq",
            "RUN apt-get install -y --no-install-recommends jq",
        ),
        ("SI-DF-012", "RUN true && sudo reboot", "RUN true && sudo reboot"),
        ("SI-DF-013", "EXPOSE 80 22/tcp", "EXPOSE 80 22/tcp"),
        ("SI-DF-014", "RUN chmod -R 777 /app", "RUN chmod -R 777 /app"),
        ("SI-DF-015", "COPY keys/id_rsa /root/.ssh/", "COPY keys/id_rsa /root/.ssh/"),
        ("SI-DF-016", "RUN curl -sSk https://example.com -o /a", "RUN curl -sSk https://example.com -o /a"),
        ("SI-DF-017", "WORKDIR app", "WORKDIR app"),
        ("SI-DF-018", "MAINTAINER shop", "MAINTAINER shop"),
    ];
    for (rule, lines, instructions) in cases {
        let expected: Vec<_> = instructions.lines().map(|text| format!("{rule} {text}")).collect();
        assert_eq!(found(&clean_with(lines)), expected, "{lines}");
    }
}

#[test]
fn no_rule_fires_on_what_only_looks_like_its_target() {
    let lines = [
        "ARG BASE=alpine:3.22\nARG UNKNOWN",
        "FROM $UNKNOWN AS first\nFROM first AS second\nFROM scratch",
        "FROM alpine@sha256:0123",
        "ADD --checksum=sha256:0123 https://example.com/a.tgz /a.tgz",
        "ADD rootfs.tar.gz /",
        "ENV DB_PASSWORD_FILE=/run/secrets/db TOKEN=$TOKEN",
        "ARG NPM_TOKEN",
        "RUN curl -fsSL https://example.com/i.sh -o i.sh && sha256sum -c i.sum && sh i.sh",
        "RUN curl https://example.com || sh fallback.sh",
        "RUN apt-get install -y --no-install-recommends jq && rm -rf /var/lib/apt/lists/*",
        "RUN --mount=type=cache,target=/var/lib/apt/lists apt-get install -y --no-install-recommends jq",
        "RUN echo pseudo-sudoers",
        "EXPOSE 8022 2222",
        "RUN chmod 755 /app && echo 777",
        "COPY --from=build /out/.env /app/\nCOPY .env.example /app/",
        "RUN curl -fsSL --key-type PEM https://example.com -o /k",
        "WORKDIR /app\nWORKDIR $HOME\nWORKDIR C:\\app",
        "LABEL maintainer=shop",
    ];
    for lines in lines {
        let text = if lines.starts_with("ARG BASE") { format!("{lines}\n{}", clean_with("")) } else { clean_with(lines) };
        assert_eq!(found(&text), Vec::<String>::new(), "{lines}");
    }
}

#[test]
fn the_user_and_the_health_check_of_the_final_image_count() {
    let cases = [
        ("FROM alpine:3.22\nCMD [\"true\"]", vec!["SI-DF-001 -", "SI-DF-008 -"]),
        ("FROM gcr.io/distroless/static:nonroot\nHEALTHCHECK NONE", vec![]),
        ("FROM alpine:3.22\nHEALTHCHECK NONE\nUSER root", vec!["SI-DF-002 USER root"]),
        ("FROM alpine:3.22\nHEALTHCHECK NONE\nUSER root\nUSER 10001", vec![]),
        ("FROM alpine:3.22\nHEALTHCHECK NONE\nUSER 10001\nUSER 0:0", vec!["SI-DF-002 USER 0:0"]),
        ("FROM alpine:3.22 AS base\nHEALTHCHECK NONE\nUSER 10001\nFROM BASE", vec![]),
        ("FROM alpine:3.22 AS left\nHEALTHCHECK NONE\nUSER 10001\nFROM alpine:3.22", vec!["SI-DF-001 -", "SI-DF-008 -"]),
        ("FROM alpine:3.22\nONBUILD USER 1\nONBUILD HEALTHCHECK NONE", vec!["SI-DF-001 -", "SI-DF-008 -"]),
        ("ARG TAG\nRUN true", vec![]),
    ];
    for (text, expected) in cases {
        assert_eq!(found(text), expected, "{text}");
    }
}

#[test]
fn the_text_of_an_instruction_is_what_was_written_with_its_lines_joined() {
    let text = "\u{feff}# syntax=docker/dockerfile:1\r\n# escape=`\r\nfrom alpine\r\n  run apt-get install `\r\n   # why\r\n\r\n    -y jq   `  \r\n  && true\r\nONBUILD run chmod 777 C:\\a\r\n";
    let expected = [
        "SI-DF-001 -",
        "SI-DF-003 from alpine",
        "SI-DF-008 -",
        "SI-DF-010 run apt-get install -y jq && true",
        "SI-DF-011 run apt-get install -y jq && true",
        "SI-DF-014 ONBUILD run chmod 777 C:\\a",
    ];
    assert_eq!(found(text), expected);
}

#[test]
fn a_line_that_is_no_directive_ends_their_block() {
    // With the backtick the second line is a part of the first, and the image is run by root.
    let by_root =
        |top: &str| found(&format!("{top}\n# escape=`\n{}`\nUSER 10001\n", "FROM alpine:3.22\nHEALTHCHECK NONE\nRUN true "));
    for (top, reads_on) in
        [("# a1=b", true), ("# a = b", true), ("# 1a=b", false), ("# a=", false), ("# =b", false), ("# a b=c", false)]
    {
        assert_eq!(by_root(top), if reads_on { vec!["SI-DF-001 -".to_owned()] } else { Vec::new() }, "{top}");
    }
}

#[test]
fn a_heredoc_hides_what_stands_in_it() {
    let text = clean_with("COPY <<-\"EOF\" /etc/motd\n\tUSER root\n\tADD a b\n\tEOF\nRUN cat <<<word");
    assert_eq!(found(&text), Vec::<String>::new());
}

#[test]
fn a_file_that_no_builder_can_read_is_an_error() {
    assert_eq!(scan(b"# only a comment\n\n"), Err("the file has no instruction".to_owned()));
    assert_eq!(scan(b"FROM alpine:3.22\nRUN <<EOF\ntrue\n"), Err("line 2: the heredoc EOF has no end".to_owned()));
}

#[test]
fn a_risk_carries_the_texts_of_its_rule() {
    let risks = scan(clean_with("EXPOSE 22").as_bytes()).unwrap();
    let expected = super::Risk {
        rule_id: "SI-DF-013",
        name: "The SSH port is exposed",
        level: "medium",
        category: "network",
        description: "A login service in a container is a second way in, beside the orchestrator's access control and audit.",
        remediation: "Remove sshd and EXPOSE 22; use kubectl exec or docker exec.",
        build_instruction: Some("EXPOSE 22".to_owned()),
        paths: Vec::new(),
    };
    assert_eq!(risks, [expected]);
}
