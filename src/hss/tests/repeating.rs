//! What is sent again, how often and after which wait.

use super::*;
use crate::model::FileType;

async fn upload(client: &Client) -> Result<UploadAnswer, Error> {
    client.upload(FileType::Dockerfile, &[UploadPart { name: "n".to_owned(), bytes: vec![b'\n'] }]).await
}

async fn create(client: &Client) -> Result<String, Error> {
    client.create_task(&NewTask::Iac { file_type: FileType::K8sYaml, file_ids: vec!["f".to_owned()] }).await
}

/// The waits before repetitions.
fn waits(events: &RefCell<Vec<Event>>) -> Vec<Duration> {
    let wait = |event: &Event| match event {
        Event::Repeating { after, .. } => Some(*after),
        _ => None,
    };
    events.borrow().iter().filter_map(wait).collect()
}

#[tokio::test]
async fn a_call_that_fails_is_repeated_five_times_and_waits_longer_each_time() {
    let host = Host::saying([says(503, "")]);
    let (client, events) = watched(config(&host));
    let error = upload(&client).await.unwrap_err();
    assert_eq!(error, Error { lost: true, ..Error::new(Kind::Failing, "batch-upload: 503 ".to_owned()) });
    assert_eq!((host.lines().len(), client.repeated_uploads()), (6, 5));
    let waits = waits(&events);
    for (wait, longest) in waits.iter().zip([2, 4, 8, 8, 8]) {
        assert!(!wait.is_zero() && *wait <= Duration::from_millis(longest), "{waits:?}");
    }
    assert_eq!(waits.len(), 5);
    client.list_risks("f", PAGE).await.unwrap_err();
    assert_eq!((host.lines().len(), client.repeated_uploads()), (12, 5));
}

#[tokio::test]
async fn a_task_whose_answer_was_lost_is_not_created_again() {
    for answer in [says(503, ""), says(200, "no JSON"), String::new()] {
        let host = Host::saying([answer]);
        let error = create(&client(&host)).await.unwrap_err();
        assert!(error.lost && error.kind == Kind::Failing, "{error:?}");
        assert_eq!(host.lines().len(), 1);
    }
}

#[tokio::test]
async fn what_was_never_sent_is_sent_again_whatever_it_is() {
    let host = Host::saying([says(200, NONE)]);
    let (client, events) = watched(Config { endpoint: NOBODY.to_owned(), ..config(&host) });
    let error = create(&client).await.unwrap_err();
    assert_eq!((error.kind, error.lost), (Kind::Unreachable, false));
    assert_eq!((waits(&events).len(), client.calls()["task"]), (5, 6));
}

#[tokio::test]
async fn the_service_says_how_long_to_wait_up_to_a_bound() {
    let busy = |wait: &str| answer(503, &format!("Retry-After: {wait}\n"), "");
    let host = Host::saying([busy("1"), busy("0"), says(200, NONE)]);
    let (client, events) = watched(config(&host));
    client.list_risks("f", PAGE).await.unwrap();
    let waits = waits(&events);
    assert_eq!(waits[0], TIMINGS.longest_wait);
    assert!(!waits[1].is_zero() && waits[1] <= Duration::from_millis(4) && waits.len() == 2, "{waits:?}");
}

#[tokio::test]
async fn a_call_that_is_too_fast_is_repeated_twenty_times() {
    let host = Host::saying([says(429, "")]);
    let (client, events) = watched(config(&host));
    let error = create(&client).await.unwrap_err();
    assert_eq!((error.kind, error.lost, host.lines().len()), (Kind::Throttled, false, 21));
    let has_waited = events.borrow().iter().any(|event| matches!(event, Event::Waiting { api: "task", .. }));
    assert_eq!((waits(&events).len(), has_waited), (0, true), "it waits for its turn, like any other");
    assert_eq!(client.window(), Some(TIMINGS.window));
}

#[tokio::test]
async fn calls_are_free_once_more_were_answered_than_the_limit_allows() {
    let host =
        Host::new(|_, asked| if asked.line.contains("/risks") { says(200, NONE) } else { says(429, "limit:5,time:5 ms") });
    let slow = Limit { calls: 6, window: Duration::from_millis(3) };
    let [free, limited] = [None, Some(slow)].map(|rate| client_of(Config { rate, ..config(&host) }));
    for call in 1..=6 {
        free.list_risks("f", PAGE).await.unwrap();
        limited.list_risks("f", PAGE).await.unwrap();
        assert_eq!((free.is_free(), limited.is_free()), (call == 6, false), "after {call}");
    }
    assert_eq!((free.window(), limited.window()), (None, Some(slow.window)));
    free.list_risk_paths("f", "u", PAGE).await.unwrap_err();
    assert!(!free.is_free(), "one API that is limited is enough");
    assert_eq!(free.window(), Some(Duration::from_millis(5)));
}

#[tokio::test]
async fn nothing_is_sent_after_the_stop() {
    let host = Host::saying([says(200, NONE)]);
    let client = client(&host);
    client.list_risks("f", PAGE).await.unwrap();
    client.stop();
    let over = Error::new(Kind::Unreachable, "not sent, since the run is over".to_owned());
    assert_eq!(client.list_risks("f", PAGE).await.unwrap_err(), over);
    assert_eq!(host.lines().len(), 1);
}

#[tokio::test]
async fn the_stop_ends_a_wait() {
    let minute = Duration::from_secs(60);
    let host = Host::saying([answer(503, "Retry-After: 60\n", "")]);
    let timings = Timings { longest_wait: minute, ..TIMINGS };
    let (client, events) = watched(Config { timings, ..config(&host) });
    let stop = async {
        until(|| waits(&events) == [minute]).await;
        client.stop();
    };
    let both = async { tokio::join!(client.list_risks("f", PAGE), stop) };
    let (listed, ()) = tokio::time::timeout(minute / 6, both).await.expect("the wait ends");
    assert_eq!(listed.unwrap_err().message, "not sent, since the run is over");
}

#[tokio::test]
async fn the_first_calls_go_one_by_one_until_the_key_is_proven() {
    // One call gets no answer at all, which proves nothing. The next is answered when there is another one, if that comes.
    let here = Arc::new(Mutex::new(0));
    let host = Host::new(move |before, _| {
        if before < 6 {
            return String::new();
        }
        *here.lock().unwrap() += 1;
        wait_for(|| *here.lock().unwrap() > 1, Duration::from_millis(200));
        says(401, "")
    });
    let client = client(&host);
    assert_eq!(client.list_risks("e", PAGE).await.unwrap_err().kind, Kind::Failing);
    let (one, two) = tokio::join!(client.list_risks("f", PAGE), client.list_risks("g", PAGE));
    assert_eq!(one.unwrap_err().kind, Kind::Login);
    assert_eq!(two.unwrap_err().kind, Kind::Login);
    assert_eq!(host.lines().len(), 7, "a refused key is not tried again");
}

#[tokio::test]
async fn once_the_key_is_proven_calls_go_side_by_side() {
    // How many of the two calls after the first are there at a time.
    let at_once = async |first: u16| {
        let here = Arc::new(Mutex::new((0, 0)));
        let most = Arc::clone(&here);
        let host = Host::new(move |before, _| {
            if before == 0 {
                return says(first, NONE);
            }
            {
                let (now, most) = &mut *here.lock().unwrap();
                *now += 1;
                *most = *now.max(most);
            }
            wait_for(|| here.lock().unwrap().1 > 1, Duration::from_millis(200));
            here.lock().unwrap().0 -= 1;
            says(200, NONE)
        });
        let client = client(&host);
        let _ = client.list_risks("e", PAGE).await;
        let (one, two) = tokio::join!(client.list_risks("f", PAGE), client.list_risks("g", PAGE));
        assert!(one.is_ok() && two.is_ok());
        most.lock().unwrap().1
    };
    assert_eq!(at_once(200).await, 2);
    assert_eq!(at_once(400).await, 2);
    // Somebody in between may have said this.
    assert_eq!(at_once(404).await, 1);
    assert_eq!(at_once(302).await, 1);
}
