//! Virtual time, and tasks of which a seed says who goes on.
//!
//! Every task belongs to a process. A process can be killed between any two polls, as `kill -9` does, or
//! paused: time goes on and its tasks don't. Nothing here waits: when nobody can go on, time jumps to
//! the next timer.

mod panics;
mod wait;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use recharge_engine::driver::Task;

use crate::dice::Dice;

pub use panics::mute_simulated_panics;
pub(crate) use wait::{In, Sleep, Yielded};

/// The process of everybody who is not a worker: merchants, people, the network.
pub(crate) const OUTSIDE: Process = Process(0);

/// A process. Never used twice: a worker that starts again is another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Process(pub(crate) u32);

type TaskId = u64;

/// Tasks, timers and the time. Clones are handles to the same.
#[derive(Clone)]
pub(crate) struct Executor(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    ready: Arc<Mutex<Ready>>,
}

struct State {
    now: Duration,
    tasks: BTreeMap<TaskId, Running>,
    next_task: TaskId,
    timers: BTreeMap<(Duration, u64), Waker>,
    tickets: u64,
    processes: BTreeMap<Process, Life>,
    next_process: u32,
    /// By which of its monotonic moments a process had slept for how long, those that have ended included.
    slept: BTreeMap<Process, Vec<(Duration, Duration)>>,
}

/// A process that lives.
#[derive(Debug, Default)]
struct Life {
    paused_until: Option<Duration>,
    /// For how long its monotonic clock stood still in all, and since when it does now, as when a machine
    /// sleeps.
    stood_still: Duration,
    asleep_since: Option<Duration>,
    /// What its wall clock shows differs from the truth by so many milliseconds.
    wall_offset: i64,
}

struct Running {
    process: Process,
    /// `None` while it is polled.
    task: Option<Task>,
    bell: Arc<Bell>,
}

/// Who can go on. Sorted, so that who woke whom first makes no difference.
#[derive(Default)]
struct Ready(BTreeSet<(Process, TaskId)>);

struct Bell {
    id: (Process, TaskId),
    rung: AtomicBool,
    ready: Arc<Mutex<Ready>>,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.rung.swap(true, Ordering::Relaxed) {
            lock(&self.ready).0.insert(self.id);
        }
    }
}

/// What became of a turn of the executor.
#[derive(Debug)]
pub(crate) enum Turn {
    /// A task went on.
    Ran,
    /// Nobody can before this time.
    Idle(Option<Duration>),
    /// A task panicked, saying this.
    Panicked(String),
}

impl Executor {
    pub(crate) fn new() -> Self {
        let state = State {
            now: Duration::ZERO,
            tasks: BTreeMap::new(),
            next_task: 0,
            timers: BTreeMap::new(),
            tickets: 0,
            processes: BTreeMap::from([(OUTSIDE, Life::default())]),
            next_process: 1,
            slept: BTreeMap::new(),
        };
        Self(Arc::new(Shared {
            state: Mutex::new(state),
            ready: Arc::default(),
        }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.0.state)
    }

    pub(crate) fn now(&self) -> Duration {
        self.state().now
    }

    /// A new process, whose wall clock is off by so many milliseconds.
    pub(crate) fn start_process(&self, wall_offset: i64) -> Process {
        let mut state = self.state();
        let process = Process(state.next_process);
        state.next_process += 1;
        let life = Life {
            wall_offset,
            ..Life::default()
        };
        state.processes.insert(process, life);
        process
    }

    pub(crate) fn lives(&self, process: Process) -> bool {
        self.state().processes.contains_key(&process)
    }

    /// Ends a process: its tasks are dropped wherever they stand.
    pub(crate) fn kill(&self, process: Process) {
        let dead: Vec<Running> = {
            let mut state = self.state();
            state.processes.remove(&process);
            let all = std::mem::take(&mut state.tasks);
            let (dead, alive) = all.into_iter().partition(|(_, it)| it.process == process);
            state.tasks = alive;
            let dead: BTreeMap<TaskId, Running> = dead;
            dead.into_values().collect()
        };
        // Dropped without a lock: what they hold may wake others.
        drop(dead);
        lock(&self.0.ready).0.retain(|(of, _)| *of != process);
    }

    /// Ends everything.
    pub(crate) fn clear(&self) {
        let processes: Vec<Process> = self.state().processes.keys().copied().collect();
        for process in processes {
            self.kill(process);
        }
    }

    /// Lets a process stand still until then. `suspended`: its monotonic clock as well.
    pub(crate) fn pause(&self, process: Process, until: Duration, suspended: bool) {
        let mut state = self.state();
        let now = state.now;
        if let Some(life) = state.processes.get_mut(&process) {
            if suspended && life.asleep_since.is_none() {
                life.asleep_since = Some(now);
            }
            life.paused_until = Some(until.max(life.paused_until.unwrap_or_default()));
        }
    }

    /// Lets everybody go on.
    pub(crate) fn resume_all(&self) {
        self.state().wake_up(|life| life.paused_until.is_some());
    }

    pub(crate) fn jump_wall(&self, process: Process, by: i64) {
        if let Some(life) = self.state().processes.get_mut(&process) {
            life.wall_offset = life.wall_offset.saturating_add(by);
        }
    }

    pub(crate) fn wall_offset(&self, process: Process) -> i64 {
        let state = self.state();
        state.processes.get(&process).map_or(0, |it| it.wall_offset)
    }

    /// The process's monotonic time, on a clock that all share as long as none stands still.
    pub(crate) fn monotonic(&self, process: Process) -> Duration {
        let state = self.state();
        let now = state.now;
        let life = state.processes.get(&process);
        life.map_or(now, |life| {
            let asleep = life.asleep_since.map(|since| now.saturating_sub(since));
            now.saturating_sub(life.stood_still + asleep.unwrap_or_default())
        })
    }

    /// When it truly was that the monotonic clock of a process, alive or dead, showed this.
    pub(crate) fn truly(&self, process: Process, monotonic: Duration) -> Duration {
        let state = self.state();
        let slept = state.slept.get(&process).into_iter().flatten();
        let before = slept.filter(|(at, _)| *at < monotonic);
        monotonic.saturating_add(before.map(|(_, lasted)| *lasted).sum())
    }

    /// Runs a task in a process; in one that has ended it is dropped.
    pub(crate) fn spawn(&self, process: Process, task: Task) {
        let mut state = self.state();
        if !state.processes.contains_key(&process) {
            drop(state);
            drop(task);
            return;
        }
        let id = state.next_task;
        state.next_task += 1;
        let bell = Arc::new(Bell {
            id: (process, id),
            rung: AtomicBool::new(true),
            ready: self.0.ready.clone(),
        });
        let running = Running {
            process,
            task: Some(task),
            bell,
        };
        state.tasks.insert(id, running);
        drop(state);
        lock(&self.0.ready).0.insert((process, id));
    }

    /// Waits so long on the monotonic clock of a process.
    pub(crate) fn sleep(&self, process: Process, duration: Duration) -> Sleep {
        Sleep {
            executor: self.clone(),
            process,
            until: self.monotonic(process).saturating_add(duration),
            timer: None,
        }
    }

    /// Lets others go first, once.
    pub(crate) fn yielded() -> Yielded {
        Yielded(false)
    }

    /// Lets one task go on that can, if any.
    pub(crate) fn turn(&self, dice: &mut Dice) -> Turn {
        let chosen = {
            let state = self.state();
            let awake = |process: &Process| {
                let life = state.processes.get(process);
                life.is_some_and(|life| life.paused_until.is_none())
            };
            let mut ready = lock(&self.0.ready);
            let can: usize = ready.0.iter().filter(|(of, _)| awake(of)).count();
            let chosen = (can > 0).then(|| dice.index(can)).and_then(|nth| {
                let mut all = ready.0.iter().filter(|(of, _)| awake(of));
                all.nth(nth).copied()
            });
            if let Some(id) = &chosen {
                ready.0.remove(id);
            }
            chosen
        };
        match chosen {
            Some((_, id)) => self.poll(id),
            None => Turn::Idle(self.next_time()),
        }
    }

    fn poll(&self, id: TaskId) -> Turn {
        let taken = {
            let mut state = self.state();
            let running = state.tasks.get_mut(&id);
            running.and_then(|it| Some((it.process, it.task.take()?, it.bell.clone())))
        };
        let Some((process, mut task, bell)) = taken else {
            return Turn::Ran; // It has ended.
        };
        bell.rung.store(false, Ordering::Relaxed);
        let waker = Waker::from(bell);
        let mut context = Context::from_waker(&waker);
        match panics::caught(process, || task.as_mut().poll(&mut context)) {
            Ok(Poll::Pending) => {
                let mut state = self.state();
                // Nobody ends a process while one of its tasks is polled.
                if let Some(running) = state.tasks.get_mut(&id) {
                    running.task = Some(task);
                }
                Turn::Ran
            }
            Ok(Poll::Ready(())) => {
                self.state().tasks.remove(&id);
                drop(task);
                Turn::Ran
            }
            Err(panic) => {
                self.state().tasks.remove(&id);
                Turn::Panicked(format!("a task of {process:?} panicked: {panic}"))
            }
        }
    }

    /// When a timer rings or a pause is over.
    fn next_time(&self) -> Option<Duration> {
        let state = self.state();
        let timer = state.timers.keys().next().map(|(at, _)| *at);
        let pauses = state.processes.values().filter_map(|it| it.paused_until);
        timer.into_iter().chain(pauses).min()
    }

    /// Lets time pass up to then.
    pub(crate) fn advance(&self, to: Duration) {
        let mut ringing = Vec::new();
        {
            let mut state = self.state();
            state.now = state.now.max(to);
            let now = state.now;
            state.wake_up(|life| life.paused_until.is_some_and(|until| until <= now));
            while let Some(first) = state.timers.first_entry() {
                if first.key().0 > now {
                    break;
                }
                ringing.push(first.remove());
            }
        }
        ringing.into_iter().for_each(Waker::wake);
    }

    fn set_timer(&self, at: Duration, waker: Waker) -> (Duration, u64) {
        let mut state = self.state();
        state.tickets += 1;
        let key = (at, state.tickets);
        state.timers.insert(key, waker);
        key
    }
}

impl State {
    /// Lets those go on whose pause is over.
    fn wake_up(&mut self, over: impl Fn(&Life) -> bool) {
        let now = self.now;
        for (process, life) in &mut self.processes {
            if !over(life) {
                continue;
            }
            life.paused_until = None;
            if let Some(since) = life.asleep_since.take() {
                // Its clock goes on by a moment, so that what it shows then is not what it showed before.
                let lasted = now.saturating_sub(since + Duration::from_nanos(1));
                let at = since.saturating_sub(life.stood_still);
                self.slept.entry(*process).or_default().push((at, lasted));
                life.stood_still += lasted;
            }
        }
    }
}

impl fmt::Debug for Executor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Executor").finish_non_exhaustive()
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // One thread: nobody else can have left anything half done but by a panic, which is reported.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// Runs until then, and answers what the tasks wrote down.
    fn run(executor: &Executor, until: Duration) {
        let mut dice = Dice::stream(1, 1, 1);
        loop {
            match executor.turn(&mut dice) {
                Turn::Idle(Some(next)) if next <= until => executor.advance(next),
                Turn::Idle(_) => return executor.advance(until),
                Turn::Ran | Turn::Panicked(_) => {}
            }
        }
    }

    fn ticks(executor: &Executor, process: Process) -> Arc<Mutex<Vec<u128>>> {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (notes, clock) = (seen.clone(), executor.clone());
        let task = async move {
            loop {
                clock.sleep(process, SECOND).await;
                // A sleeping machine loses a moment.
                let now = clock.now() + Duration::from_nanos(1);
                lock(&notes).push(now.as_millis());
            }
        };
        executor.spawn(process, Box::pin(task));
        seen
    }

    #[test]
    fn time_jumps_from_timer_to_timer() {
        let executor = Executor::new();
        let seen = ticks(&executor, OUTSIDE);
        run(&executor, SECOND * 3);
        assert_eq!(*lock(&seen), [1_000, 2_000, 3_000]);
        assert_eq!(executor.now(), SECOND * 3);
    }

    #[test]
    fn who_is_killed_does_nothing_more_and_nobody_else_notices() {
        let executor = Executor::new();
        let (one, other) = (executor.start_process(0), executor.start_process(0));
        let (first, second) = (ticks(&executor, one), ticks(&executor, other));
        run(&executor, SECOND * 2);
        executor.kill(one);
        executor.spawn(
            one,
            Box::pin(async { unreachable!("its process has ended") }),
        );
        run(&executor, SECOND * 4);
        assert_eq!(*lock(&first), [1_000, 2_000]);
        assert_eq!(*lock(&second), [1_000, 2_000, 3_000, 4_000]);
        assert!(!executor.lives(one) && executor.lives(other));
    }

    #[test]
    fn a_pause_stops_tasks_and_a_sleeping_machine_its_clock_as_well() {
        let late = [1_000, 5_000, 6_000];
        // Half a second of its sleep was left when the machine went to sleep.
        let later = [1_000, 5_500, 6_500];
        for (suspended, seen_at, monotonic) in [(false, late, 7_000), (true, later, 3_500)] {
            let executor = Executor::new();
            let process = executor.start_process(0);
            let seen = ticks(&executor, process);
            run(&executor, SECOND + SECOND / 2);
            executor.pause(process, SECOND * 5, suspended);
            run(&executor, SECOND * 7);
            let seen: Vec<u128> = lock(&seen).iter().copied().take(3).collect();
            assert_eq!(seen, seen_at, "suspended: {suspended}");
            let shown = executor.monotonic(process);
            assert_eq!(shown.as_millis(), monotonic);
            assert_eq!(executor.truly(process, SECOND), SECOND);
            assert_eq!(executor.truly(process, shown), SECOND * 7);
            executor.kill(process);
            assert_eq!(executor.truly(process, shown), SECOND * 7, "after its end");
        }
    }

    #[test]
    fn a_panic_is_told_and_ends_one_task() {
        let executor = Executor::new();
        let seen = ticks(&executor, OUTSIDE);
        executor.spawn(OUTSIDE, Box::pin(async { panic!("as the test wants it") }));
        let mut dice = Dice::stream(2, 1, 1);
        let told = std::iter::repeat_with(|| executor.turn(&mut dice)).take(3);
        let told: Vec<_> = told
            .filter(|turn| matches!(turn, Turn::Panicked(_)))
            .collect();
        assert_eq!(told.len(), 1);
        run(&executor, SECOND);
        assert_eq!(*lock(&seen), [1_000]);
    }
}
