//! Connections between two requests.

use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use http::Uri;
use http::uri::{Authority, Parts, PathAndQuery, Scheme};
use tokio::time::{Instant, sleep_until};

/// How long a connection may idle. Short, because a server that closes idle connections (five seconds is
/// a common setting) would do so just as the next order is written to one, and that order is then in
/// doubt.
const IDLE: Duration = Duration::from_secs(4);

/// Where a connection leads.
///
/// Compared by the text of the authority: its own comparison knows that a host in capitals is the same
/// host, and its own hash takes each letter apart for that, for each request. Two spellings cost a
/// connection more.
#[derive(Debug, Clone)]
pub(super) struct Origin {
    pub(super) scheme: Scheme,
    pub(super) authority: Authority,
}

impl Origin {
    /// As an address.
    pub(super) fn uri(&self) -> Result<Uri, http::Error> {
        let mut parts = Parts::default();
        parts.scheme = Some(self.scheme.clone());
        parts.authority = Some(self.authority.clone());
        parts.path_and_query = Some(PathAndQuery::from_static("/"));
        Ok(Uri::from_parts(parts)?)
    }
}

impl PartialEq for Origin {
    fn eq(&self, other: &Self) -> bool {
        self.authority.as_str() == other.authority.as_str() && self.scheme == other.scheme
    }
}

impl Eq for Origin {}

impl Hash for Origin {
    /// Without the scheme, which tells few apart.
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.authority.as_str().hash(state);
    }
}

/// What a pool must know of a connection.
pub(super) trait Idle: Send + 'static {
    /// Whether it can carry a request now.
    fn is_ready(&self) -> bool;
    /// Whether it never will again.
    fn is_over(&self) -> bool;
}

/// Idle connections, the latest used first; each leaves when it has idled too long.
pub(super) struct Pool<C>(Arc<Mutex<Shelf<C>>>);

struct Shelf<C> {
    idle: HashMap<Origin, Vec<(Instant, C)>>,
    /// Whether a task is there that takes out what has idled too long.
    is_swept: bool,
}

impl<C: Idle> Pool<C> {
    pub(super) fn new() -> Self {
        let idle = HashMap::new();
        Self(Arc::new(Mutex::new(Shelf {
            idle,
            is_swept: false,
        })))
    }

    /// Takes out the connection to `origin` that was put in last and is ready, if there is one.
    pub(super) fn take(&self, origin: &Origin) -> Option<C> {
        let mut kept = lock(&self.0);
        let idle = kept.idle.get_mut(origin)?;
        let mut at = idle.len();
        while at > 0 {
            at -= 1;
            let (since, connection) = idle.get(at)?;
            if since.elapsed() >= IDLE {
                // The others have idled longer still: the sweeper is about to take them.
                return None;
            } else if connection.is_over() {
                idle.remove(at);
            } else if connection.is_ready() {
                return Some(idle.remove(at).1);
            }
            // One that is not ready has just been put in, or still writes what nobody waits for.
        }
        None
    }

    /// Puts in a connection that has done its work.
    pub(super) fn put(&self, origin: Origin, connection: C) {
        let mut kept = lock(&self.0);
        let now = Instant::now();
        kept.idle.entry(origin).or_default().push((now, connection));
        let has_sweeper = std::mem::replace(&mut kept.is_swept, true);
        // A runtime that is shutting down drops the sweeper right here, and that takes the lock.
        drop(kept);
        if !has_sweeper {
            tokio::spawn(sweep(Sweeper(Arc::downgrade(&self.0))));
        }
    }
}

impl<C> Clone for Pool<C> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

/// Drops connections as their time comes. Ends when there are none, or no pool.
async fn sweep<C>(mut sweeper: Sweeper<C>) {
    let mut next = Instant::now() + IDLE;
    loop {
        sleep_until(next).await;
        let Some(pool) = sweeper.0.upgrade() else {
            return;
        };
        let mut shelf = lock(&pool);
        let now = Instant::now();
        shelf.idle.retain(|_, idle| {
            idle.retain(|(since, _)| now < *since + IDLE);
            !idle.is_empty()
        });
        let ends = shelf
            .idle
            .values()
            .flatten()
            .map(|(since, _)| *since + IDLE);
        let Some(earliest) = ends.min() else {
            // While the lock is held: what is put in next begins a new one, in which this one has no say.
            shelf.is_swept = false;
            sweeper.0 = Weak::new();
            return;
        };
        next = earliest;
    }
}

/// Belongs to the task, and tells the pool when that is gone, be it with its runtime.
struct Sweeper<C>(Weak<Mutex<Shelf<C>>>);

impl<C> Drop for Sweeper<C> {
    fn drop(&mut self) {
        if let Some(pool) = self.0.upgrade() {
            lock(&pool).is_swept = false;
        }
    }
}

/// A panic in between leaves nothing half changed that matters: at worst a connection is lost.
fn lock<T>(shelf: &Mutex<T>) -> MutexGuard<'_, T> {
    shelf.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Idle for i32 {
        /// As if those below 0 were at work, and 0 at its end.
        fn is_ready(&self) -> bool {
            *self > 0
        }

        fn is_over(&self) -> bool {
            *self == 0
        }
    }

    fn origin(authority: &'static str) -> Origin {
        Origin {
            scheme: Scheme::HTTP,
            authority: Authority::from_static(authority),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_latest_comes_first_and_only_to_its_origin() {
        let pool = Pool::new();
        pool.put(origin("a"), 1);
        pool.put(origin("a"), 2);
        pool.put(origin("a:81"), 3);
        assert_eq!(pool.take(&origin("b")), None);
        let scheme = Scheme::HTTPS;
        let tls = Origin {
            scheme,
            ..origin("a")
        };
        assert_eq!(pool.take(&tls), None);
        assert_eq!(pool.take(&origin("a")), Some(2));
        assert_eq!(pool.take(&origin("a")), Some(1));
        assert_eq!(pool.take(&origin("a")), None);
    }

    #[tokio::test(start_paused = true)]
    async fn only_what_is_ready_is_taken_and_what_is_over_is_dropped() {
        let pool = Pool::new();
        for number in [1, 0, 2, -1, 0] {
            pool.put(origin("a"), number);
        }
        assert_eq!(pool.take(&origin("a")), Some(2));
        assert_eq!(pool.take(&origin("a")), Some(1));
        assert_eq!(pool.take(&origin("a")), None);
        let shelf = lock(&pool.0);
        let left: Vec<i32> = shelf.idle.values().flatten().map(|(_, c)| *c).collect();
        assert_eq!(left, [-1]);
    }

    /// Dropped, it says so.
    struct Told(std::sync::mpsc::Sender<u8>, u8);

    impl Idle for Told {
        fn is_ready(&self) -> bool {
            true
        }

        fn is_over(&self) -> bool {
            false
        }
    }

    impl Drop for Told {
        fn drop(&mut self) {
            let _ = self.0.send(self.1);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_idles_too_long_leaves_by_itself_again_and_again() {
        let (tell, told) = std::sync::mpsc::channel();
        let pool = Pool::new();
        for round in 0..2 {
            pool.put(origin("a"), Told(tell.clone(), 10 * round));
            tokio::time::sleep(IDLE / 2).await;
            pool.put(origin("b"), Told(tell.clone(), 10 * round + 1));
            assert!(told.try_recv().is_err());
            tokio::time::sleep(IDLE / 2 + Duration::from_millis(1)).await;
            assert_eq!(told.try_recv(), Ok(10 * round));
            assert!(told.try_recv().is_err());
            assert!(pool.take(&origin("a")).is_none());
            tokio::time::sleep(IDLE).await;
            assert_eq!(told.try_recv(), Ok(10 * round + 1));
            let shelf = lock(&pool.0);
            assert!(!shelf.is_swept, "nothing to sweep, no task");
            assert!(shelf.idle.is_empty(), "of an origin nothing is left");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn each_leaves_in_its_own_time() {
        let (tell, told) = std::sync::mpsc::channel();
        let pool = Pool::new();
        for number in 0..4 {
            pool.put(origin("a"), Told(tell.clone(), number));
            tokio::time::sleep(IDLE / 4).await;
        }
        for number in 0..4 {
            tokio::time::sleep(Duration::from_millis(1)).await;
            assert_eq!(told.try_recv(), Ok(number));
            assert!(told.try_recv().is_err());
            tokio::time::sleep(IDLE / 4).await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_has_idled_too_long_is_not_taken_where_the_sweeper_is_late() {
        let pool = Pool::new();
        for (idled, taken) in [(IDLE, None), (IDLE / 2, Some(1))] {
            pool.put(origin("a"), 1);
            for (since, _) in lock(&pool.0).idle.values_mut().flatten() {
                *since -= idled;
            }
            assert_eq!(pool.take(&origin("a")), taken);
        }
    }

    #[test]
    fn a_runtime_that_goes_takes_no_sweeper_with_it() {
        let pool = Pool::new();
        for number in 0..2 {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_time()
                .build()
                .unwrap();
            runtime.block_on(async { pool.put(origin("a"), number) });
            assert!(lock(&pool.0).is_swept);
            drop(runtime);
            assert!(!lock(&pool.0).is_swept);
        }
    }

    /// There a task is dropped as it is spawned, and the sweeper's end wants the lock that `put` held.
    #[test]
    fn a_connection_can_be_put_in_while_the_runtime_ends() {
        let (tell, told) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_time()
                .build()
                .unwrap();
            let handle = runtime.handle().clone();
            drop(runtime);
            let _entered = handle.enter();
            let pool = Pool::new();
            pool.put(origin("a"), 1);
            tell.send(lock(&pool.0).is_swept).unwrap();
        });
        let is_swept = told.recv_timeout(Duration::from_secs(10));
        assert_eq!(is_swept, Ok(false), "an error: it waits for itself");
    }
}
