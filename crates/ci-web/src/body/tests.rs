//! Bodies of those who have time, or much to say.

use futures_util::stream;
use tokio::time::Instant;

use super::*;

/// A body of `chunks` of `length` bytes, with a pause before each.
fn dripping(chunks: usize, length: usize, pause: Duration) -> Body {
    let bytes = Bytes::from(vec![b'x'; length]);
    let chunks = stream::unfold(0, move |sent| {
        let bytes = bytes.clone();
        async move {
            tokio::time::sleep(pause).await;
            (sent < chunks).then_some((Ok::<_, std::io::Error>(bytes), sent + 1))
        }
    });
    Body::from_stream(chunks)
}

async fn read(room: &Room, body: Body, most: usize) -> Result<usize, String> {
    let whole = room.whole(&HeaderMap::new(), body, most).await;
    whole.map(|whole| whole.bytes.len()).map_err(|error| error.to_string())
}

#[tokio::test(start_paused = true)]
async fn a_body_that_comes_byte_by_byte_is_given_up_in_time() {
    let began = Instant::now();
    let slow = dripping(usize::MAX, 1, Duration::from_secs(1));
    let said = read(&Room::new(), slow, MOST).await;
    assert_eq!(said, Err("the body did not come within 10s".to_owned()));
    assert!(began.elapsed() < TIME + Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn what_is_too_large_is_read_on_for_a_bounded_time_only() {
    let began = Instant::now();
    let endless = dripping(usize::MAX, 10, PAUSE / 2);
    let said = read(&Room::new(), endless, 10).await;
    assert_eq!(said, Err("the body has more than 10 bytes".to_owned()));
    assert!(began.elapsed() < TIME * 2 + Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn few_large_bodies_are_in_memory_at_once_and_small_ones_pass_by() {
    let (room, second) = (Room::new(), Duration::from_secs(1));
    let large = |pause| read(&room, dripping(3, MOST, pause), 4 * MOST);
    // Each takes its room with its second chunk, and is whole after four seconds.
    let begun = futures_util::future::join_all((0..LARGE_AT_ONCE).map(|_| large(second)));
    let late = async {
        tokio::time::sleep(second * 3).await;
        let began = Instant::now();
        let small = read(&room, dripping(1, MOST, Duration::ZERO), 4 * MOST).await;
        assert_eq!((small, began.elapsed()), (Ok(MOST), Duration::ZERO));
        let waited = large(Duration::ZERO).await;
        (waited, began.elapsed())
    };
    let (all, (waited, elapsed)) = futures_util::future::join(begun, late).await;
    assert_eq!(all, vec![Ok(3 * MOST); LARGE_AT_ONCE]);
    assert_eq!(waited, Ok(3 * MOST));
    assert!(elapsed >= second / 2 && elapsed < TIME, "{elapsed:?}");
}
