//! The moves: what can happen, by the names of things.

use recharge_core::UpstreamState;

use super::apply::Commit;
use super::world::Answer;

/// One move. Workers, tasks, packets and numbers are named by their places.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Move {
    Tick,
    Begin(usize),
    Notice(usize),
    Turn(usize),
    Commit(usize, Commit),
    ReadBack(usize),
    Write(usize, usize),
    GiveUp(usize, usize),
    Answered(usize, usize, Answer),
    Tell(usize, usize, Commit),
    Arrives(usize, bool),
    /// What was charging has been paid, or has failed, and says so.
    Settled(usize, usize, bool),
    Callback(u32, UpstreamState),
    Look,
    AskAgain,
    Decide(usize, Ruling),
    Backup,
    Crash(usize),
    Takeover(usize),
    Pause(usize),
    NoConnection(usize, usize),
    LostReply(usize, usize),
    LostRequest(usize),
    Late(usize),
    Twice(usize),
    NoAnswer(usize, usize),
    Overlooked(usize, usize),
    Mistaken(usize),
    Jump(i8),
    Restore,
    Reversal(usize),
}

/// What a person can decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Ruling {
    Succeeded,
    Failed,
    Again(u32),
    Elsewhere(usize),
    Cancel,
}

impl Move {
    pub(crate) const fn is_fault(self) -> bool {
        match self {
            Self::Crash(_)
            | Self::Takeover(_)
            | Self::Pause(_)
            | Self::NoConnection(..)
            | Self::LostReply(..)
            | Self::LostRequest(_)
            | Self::Late(_)
            | Self::Twice(_)
            | Self::NoAnswer(..)
            | Self::Overlooked(..)
            | Self::Mistaken(_)
            | Self::Jump(_)
            | Self::Restore
            | Self::Reversal(_)
            | Self::Commit(_, Commit::Landed | Commit::Vanished)
            | Self::Tell(_, _, Commit::Landed | Commit::Vanished) => true,
            Self::Tick
            | Self::Begin(_)
            | Self::Notice(_)
            | Self::Turn(_)
            | Self::Commit(_, Commit::Plain)
            | Self::ReadBack(_)
            | Self::Write(..)
            | Self::GiveUp(..)
            | Self::Answered(..)
            | Self::Tell(_, _, Commit::Plain)
            | Self::Arrives(..)
            | Self::Settled(..)
            | Self::Callback(..)
            | Self::Look
            | Self::AskAgain
            | Self::Decide(..)
            | Self::Backup => false,
        }
    }

    /// The worker that makes it, which stands still no longer.
    pub(crate) const fn by(self) -> Option<usize> {
        match self {
            Self::Notice(at)
            | Self::Turn(at)
            | Self::Commit(at, _)
            | Self::ReadBack(at)
            | Self::Write(at, _)
            | Self::Tell(at, ..) => Some(at),
            _ => None,
        }
    }

    /// The worker of which it is a move.
    pub(crate) const fn whose(self) -> Option<usize> {
        match self {
            Self::Answered(at, ..) | Self::Settled(at, ..) | Self::GiveUp(at, _) => Some(at),
            _ => self.by(),
        }
    }
}
