//! The gateway: finds the API, checks who calls, counts, injects faults, keeps the journal.
//!
//! Everything about a request is decided in one go under the lock; only then does it wait, and answer.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{DefaultBodyLimit, Request, State as Shared};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use futures_util::stream;
use jiff::SignedDuration;

use super::about::about;
use super::answer::{Answer, Refusal};
use super::auth::{self, Signed};
use super::fault::{self, Fault};
use super::query::Query;
use super::store::{Call, State, now_ms};
use super::upload::Form;
use super::{Options, clusters, iam, issue, lock, risks, tasks, upload};

/// The gateway's limit for a signed body, read strictly: 12 MB ("API Request Signing Guide").
const BODY_LIMIT: usize = 12_000_000;
/// A body of up to this size is still read, so that its sender hears the refusal.
const READ_LIMIT: usize = 64_000_000;

/// What a path and method stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Api<'a> {
    Upload,
    CreateTask,
    ListTasks,
    ListTaskResources(&'a str),
    RetryTask(&'a str),
    ShowTaskStatistics,
    ListFiles,
    ListRisks,
    ListPaths,
    Projects,
    AuthProjects,
    Tokens,
    IdToken,
    SecurityTokens,
    Assume,
    MetadataToken,
    MetadataKey,
    GitHubIdToken,
}

impl<'a> Api<'a> {
    /// The API and the project that its path names.
    fn find(method: &Method, path: &'a str) -> Option<(Self, Option<&'a str>)> {
        let mut segments = path.strip_prefix('/')?.split('/');
        let version = segments.next()?;
        let project = (version == "v5" && !path.starts_with("/v5/agencies/")).then(|| segments.next()).flatten();
        let rest: Vec<&str> = segments.collect();
        let api = match (method.as_str(), version, rest.as_slice()) {
            ("POST", "v5", ["common", "files", "batch-upload"]) => Self::Upload,
            ("POST", "v5", ["common", "task"]) => Self::CreateTask,
            ("POST", "v5", ["common", "tasks", "batch-query"]) => Self::ListTasks,
            ("POST", "v5", ["common", "tasks", task_id, "resources", "batch-query"]) => Self::ListTaskResources(task_id),
            ("PUT", "v5", ["common", "tasks", task_id, "retry"]) => Self::RetryTask(task_id),
            ("GET", "v5", ["common", "task-statistics"]) => Self::ShowTaskStatistics,
            ("GET", "v5", ["container", "iac", "files"]) => Self::ListFiles,
            ("GET", "v5", ["container", "iac", "file", "risks"]) => Self::ListRisks,
            ("GET", "v5", ["container", "iac", "file", "risk", "paths"]) => Self::ListPaths,
            ("GET", "v3", ["projects"]) => Self::Projects,
            ("GET", "v3", ["auth", "projects"]) => Self::AuthProjects,
            ("POST", "v3", ["auth", "tokens"]) => Self::Tokens,
            ("POST", "v3.0", ["OS-AUTH", "id-token", "tokens"]) => Self::IdToken,
            ("POST", "v3.0", ["OS-CREDENTIAL", "securitytokens"]) => Self::SecurityTokens,
            ("POST", "v5", ["agencies", "assume-with-oidc"]) => Self::Assume,
            ("PUT", "meta-data", ["latest", "api", "token"]) => Self::MetadataToken,
            ("GET", "openstack", ["latest", "securitykey"]) => Self::MetadataKey,
            // GitHub names no path: a job is told the whole address.
            ("GET", "github", ["id-token"]) => Self::GitHubIdToken,
            _ => return None,
        };
        Some((api, project))
    }

    fn name(self) -> &'static str {
        match self {
            Self::Upload => "batch-upload",
            Self::CreateTask => "task",
            Self::ListTasks => "tasks/batch-query",
            Self::ListTaskResources(_) => "resources/batch-query",
            Self::RetryTask(_) => "task/retry",
            Self::ShowTaskStatistics => "task-statistics",
            Self::ListFiles => "iac/files",
            Self::ListRisks => "file/risks",
            Self::ListPaths => "risk/paths",
            Self::Projects | Self::AuthProjects => "iam/projects",
            Self::Tokens => "iam/tokens",
            Self::IdToken => "iam/id-token",
            Self::SecurityTokens => "iam/securitytokens",
            Self::Assume => "sts/assume-with-oidc",
            Self::MetadataToken => "metadata/token",
            Self::MetadataKey => "metadata/securitykey",
            Self::GitHubIdToken => "github/id-token",
        }
    }

    fn expects_json(self) -> bool {
        matches!(self, Self::CreateTask | Self::ListTasks | Self::ListTaskResources(_) | Self::RetryTask(_))
            || self.gives_by_body()
    }

    /// Whether it gives credentials for what the body holds.
    fn gives_by_body(self) -> bool {
        matches!(self, Self::Tokens | Self::IdToken | Self::SecurityTokens | Self::Assume)
    }

    /// Whether the caller is proven by what the body or a header of its own holds, so that the gateway does not look.
    fn proves_itself(self, state: &State, parts: &Parts, body: &[u8]) -> bool {
        match self {
            Self::Tokens => issue::by_password(body),
            Self::SecurityTokens => {
                let sent = parts.headers.get("x-auth-token").and_then(|token| token.to_str().ok().map(str::to_owned));
                let token = sent.or_else(|| issue::token_of(body));
                token.is_some_and(|token| {
                    [issue::unscoped(&token), token].iter().any(|token| state.issued.token(token) == Some(true))
                })
            }
            Self::IdToken | Self::Assume | Self::MetadataToken | Self::MetadataKey | Self::GitHubIdToken => true,
            _ => false,
        }
    }
}

/// A call that was let through.
struct Admitted<'a> {
    api: Api<'a>,
    project: Option<&'a str>,
    body: &'a Bytes,
}

/// How an answer reaches the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Delivery {
    Whole,
    Half,
    Never,
    /// Half of it, and then nothing.
    Hang,
    /// Byte by byte.
    Drip(Duration),
    Endless,
}

/// What was decided about a request.
struct Decision {
    answer: Answer,
    delivery: Delivery,
    wait: Duration,
    request_id: String,
}

/// The service: every path goes through [`serve`].
pub(super) fn router(state: Arc<Mutex<State>>) -> Router {
    Router::new().fallback(serve).layer(DefaultBodyLimit::disable()).with_state(state)
}

async fn serve(Shared(state): Shared<Arc<Mutex<State>>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let declared = parts.headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    let body = match to_bytes(body, READ_LIMIT).await {
        Ok(body) => Some(body),
        Err(_) if declared.is_none_or(|declared| declared > READ_LIMIT) => None,
        // The caller has gone: nobody hears an answer, and nothing happened.
        Err(_) => return closed(),
    };
    let form = match &body {
        Some(body) if parts.uri.path().ends_with("/batch-upload") => upload::read_form(&parts, body.clone()).await,
        _ => Err(Refusal::hss("HSS.0002", "the body is not multipart/form-data")),
    };
    let decision = decide(&mut lock(&state), &parts, body.as_ref(), form);
    if !decision.wait.is_zero() {
        tokio::time::sleep(decision.wait).await;
    }
    respond(decision)
}

fn decide(state: &mut State, parts: &Parts, body: Option<&Bytes>, form: Result<Form, Refusal>) -> Decision {
    let request_id = state.next_id("request").replace('-', "");
    let found = Api::find(&parts.method, parts.uri.path());
    let name = found.map_or("unknown", |(api, _)| api.name());
    let fault = found.and_then(|(api, _)| {
        let about = if state.options.faults_by_content { about(state, api, parts, body, &form) } else { String::new() };
        let nth = state.calls.entry((name, about.clone())).or_default();
        *nth += 1;
        fault::choose(&state.options, name, &about, *nth)
    });
    let admitted = admit(state, found, parts, body);
    let fault = fault.filter(|_| admitted.is_ok());
    let (limit, window) = state.options.throttle.unwrap_or((5, Duration::from_millis(200)));
    let early = fault.as_ref().and_then(|fault| fault::instead(fault, &rule(limit, window)));
    let injected = early.is_some();
    let result = admitted.and_then(|call| early.unwrap_or_else(|| perform(state, &call, parts, form)));
    if let Err(refusal) = &result
        && !injected
        && refusal.status.is_client_error()
        && ![StatusCode::UNAUTHORIZED, StatusCode::TOO_MANY_REQUESTS].contains(&refusal.status)
    {
        state.refusals.push(format!("{name}: {}: {}", refusal.code, refusal.message));
    }
    let mut answer = result.unwrap_or_else(|refusal| refusal.into_answer(&request_id));
    if answer.status == StatusCode::TOO_MANY_REQUESTS {
        let retry_after = retry_after(&state.options, fault.as_ref());
        answer.headers.extend(retry_after.map(|seconds| ("retry-after", seconds.to_string())));
    }
    if !state.options.date_ahead.is_zero() {
        let ahead = SignedDuration::try_from(state.options.date_ahead).unwrap_or(SignedDuration::MAX);
        answer.headers.push(("date", date(ahead)));
    }
    let mut decision = Decision { answer, delivery: Delivery::Whole, wait: state.options.latency, request_id };
    if let Some(fault) = &fault {
        spoil(&mut decision, fault);
    }
    let status = (decision.delivery != Delivery::Never).then_some(decision.answer.status.as_u16());
    let (effect, detail) = (decision.answer.effect, decision.answer.detail.clone());
    state.journal.push(Call { api: name.to_owned(), status, effect, detail });
    decision
}

/// Whether a call is let through: its size, that its API exists, who calls, and whether too often.
fn admit<'a>(
    state: &mut State,
    found: Option<(Api<'a>, Option<&'a str>)>,
    parts: &Parts,
    body: Option<&'a Bytes>,
) -> Result<Admitted<'a>, Refusal> {
    let body = body.filter(|body| body.len() <= BODY_LIMIT).ok_or_else(too_large)?;
    let (api, project) = found.ok_or_else(Refusal::not_published)?;
    if !api.proves_itself(state, parts, body) {
        let signed = Signed {
            method: parts.method.as_str(),
            path: parts.uri.path(),
            query: parts.uri.query().unwrap_or_default(),
            headers: &parts.headers,
            body,
        };
        auth::check(&state.options, &state.issued, &mut state.locks, &signed, now_ms() / 1000)?;
    }
    if let Some((limit, window)) = state.options.throttle {
        let (opened, calls) = state.windows.entry(api.name()).or_insert_with(|| (Instant::now(), 0));
        if opened.elapsed() >= window {
            (*opened, *calls) = (Instant::now(), 0);
        }
        *calls += 1;
        if *calls > limit {
            return Err(Refusal::throttled(&rule(limit, window)));
        }
    }
    Ok(Admitted { api, project, body })
}

/// Whole seconds to wait, where a 429 says so.
fn retry_after(options: &Options, fault: Option<&Fault>) -> Option<u64> {
    if let Some(Fault::Throttle { retry_after }) = fault {
        return *retry_after;
    }
    let (_, window) = options.throttle.filter(|_| options.throttle_retry_after)?;
    Some(window.as_secs() + u64::from(window.subsec_nanos() > 0))
}

/// Now and so much more, as HTTP writes dates.
fn date(ahead: SignedDuration) -> String {
    let time = jiff::Timestamp::now().saturating_add(ahead).unwrap_or(jiff::Timestamp::MAX);
    time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

fn rule(limit: u32, window: Duration) -> String {
    format!("limit:{limit},time:{} second", window.as_secs_f64())
}

/// What a fault does to an answer on its way out.
fn spoil(decision: &mut Decision, fault: &Fault) {
    let answer = &mut decision.answer;
    match fault {
        Fault::ResetBefore | Fault::ResetAfter => decision.delivery = Delivery::Never,
        Fault::Truncate => decision.delivery = Delivery::Half,
        Fault::Hang => decision.delivery = Delivery::Hang,
        Fault::Drip(apart) => decision.delivery = Delivery::Drip(*apart),
        Fault::Endless => decision.delivery = Delivery::Endless,
        Fault::Slow(wait) | Fault::Stalled(wait) => decision.wait += *wait,
        Fault::Garbage => "<<< this is not JSON".clone_into(&mut answer.body),
        Fault::WrongType => answer.content_type = "text/html",
        Fault::Headers => answer.headers.extend((0..200).map(|_| ("x-more", "more".to_owned()))),
        Fault::Dated(seconds) => {
            answer.headers.retain(|(name, _)| *name != "date");
            answer.headers.push(("date", date(SignedDuration::from_secs(*seconds))));
        }
        Fault::StatusAfter(status) => {
            let effect = answer.effect;
            *answer = Answer { effect, ..fault::broken(*status).into_answer(&decision.request_id) };
        }
        Fault::Twice
        | Fault::Missing
        | Fault::Shifted
        | Fault::Short
        | Fault::OneRow
        | Fault::NoEnd
        | Fault::Emptied
        | Fault::InPlace
        | Fault::Untotalled => {
            fault::spoil_rows(&mut answer.body, fault, &decision.request_id);
        }
        Fault::Throttle { .. }
        | Fault::Status(_)
        | Fault::Html502
        | Fault::HtmlPage
        | Fault::ExpiredToken
        | Fault::NotPublished
        | Fault::NoPermission
        | Fault::Gone => {}
    }
    decision.answer.detail = match decision.answer.detail.as_str() {
        "" => format!("fault {fault:?}"),
        detail => format!("fault {fault:?}; {detail}"),
    };
}

/// Carries a call out.
fn perform(state: &mut State, call: &Admitted<'_>, parts: &Parts, form: Result<Form, Refusal>) -> Result<Answer, Refusal> {
    let Admitted { api, project, body } = *call;
    if project.is_some_and(|project| project != state.options.project_id) {
        return Err(Refusal::hss("HSS.0010", "access denied: not a project of the caller"));
    }
    let content_type = parts.headers.get(header::CONTENT_TYPE).map_or(&b""[..], HeaderValue::as_bytes);
    if api.expects_json() && !content_type.starts_with(b"application/json") {
        return Err(Refusal::hss("HSS.0002", "Content-Type must be application/json"));
    }
    let query = Query::parse(parts.uri.query().unwrap_or_default())?;
    state.settle();
    match api {
        Api::Upload => upload::upload(state, &query, form?),
        Api::CreateTask => tasks::create(state, &query, body),
        Api::ListTasks => tasks::list(state, &query, body),
        Api::ListTaskResources(task_id) => tasks::resources(state, &query, task_id, body),
        Api::RetryTask(task_id) => clusters::retry(state, &query, task_id, body),
        Api::ShowTaskStatistics => tasks::statistics(state, &query),
        Api::ListFiles => risks::files(state, &query),
        Api::ListRisks => risks::risks(state, &query),
        Api::ListPaths => risks::paths(state, &query),
        Api::Projects => iam::projects(state, &query),
        Api::AuthProjects => iam::auth_projects(state, &query),
        Api::Tokens => Ok(issue::tokens(state, body, !issue::by_password(body))),
        Api::IdToken => issue::id_token(state, &parts.headers, body),
        Api::SecurityTokens => Ok(issue::security_tokens(state, body)),
        Api::Assume => issue::assume(state, body),
        Api::MetadataToken => Ok(issue::metadata_token(state, &parts.headers)),
        Api::MetadataKey => Ok(issue::metadata_key(state, &parts.headers)),
        Api::GitHubIdToken => Ok(issue::github_id_token(state, &parts.headers)),
    }
}

fn too_large() -> Refusal {
    Refusal { status: StatusCode::PAYLOAD_TOO_LARGE, code: "APIGW.0201", message: "Request entity too large".to_owned() }
}

fn respond(decision: Decision) -> Response {
    let Decision { answer, delivery, request_id, .. } = decision;
    let length = answer.body.len();
    let body = match delivery {
        Delivery::Whole => Body::from(answer.body),
        Delivery::Half => cut_off(answer.body),
        Delivery::Hang => hang(answer.body),
        Delivery::Drip(apart) => drip(answer.body, apart),
        Delivery::Endless => endless(),
        Delivery::Never => return closed(),
    };
    let mut response = Response::new(body);
    *response.status_mut() = answer.status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(answer.content_type));
    if delivery != Delivery::Endless {
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    }
    headers.insert("x-hss-stand-in", HeaderValue::from_static(concat!("hss-iac ", env!("CARGO_PKG_VERSION"))));
    for (name, value) in
        answer.headers.into_iter().chain([("x-request-id", request_id.clone()), ("x-iam-trace-id", request_id)])
    {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.append(name, value);
        }
    }
    response
}

/// No answer: the server drops a connection whose body fails before anything has been written.
fn closed() -> Response {
    Response::new(Body::from_stream(stream::once(async { Err::<Bytes, _>(io::Error::other("closed")) })))
}

/// The first half of a body and then, once that is written, the end of the connection.
fn cut_off(body: String) -> Body {
    let half = Bytes::from(body);
    let half = half.slice(..half.len() / 2);
    Body::from_stream(stream::unfold(Some(half), |half| async move {
        if let Some(half) = half {
            return Some((Ok(half), None));
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
        Some((Err(io::Error::other("cut off")), None))
    }))
}

/// The first half of a body; the rest never comes.
fn hang(body: String) -> Body {
    let half = Bytes::from(body);
    let half = half.slice(..half.len() / 2);
    Body::from_stream(stream::unfold(Some(half), |half| async move {
        match half {
            Some(half) => Some((Ok::<_, io::Error>(half), None)),
            None => std::future::pending().await,
        }
    }))
}

fn drip(body: String, apart: Duration) -> Body {
    let bytes = Bytes::from(body);
    Body::from_stream(stream::unfold(bytes, move |mut bytes| async move {
        if bytes.is_empty() {
            return None;
        }
        tokio::time::sleep(apart).await;
        Some((Ok::<_, io::Error>(bytes.split_to(1)), bytes))
    }))
}

fn endless() -> Body {
    let blank = Bytes::from(vec![b' '; 1 << 18]);
    Body::from_stream(stream::repeat_with(move || Ok::<_, io::Error>(blank.clone())))
}
