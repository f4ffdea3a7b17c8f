//! What is true: packets under way, and what the providers have done with each number.

use recharge_core::AttemptNumber;
use recharge_engine::SendToken;

/// What became of a number at a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Truth {
    Charging,
    Paid,
    Failed,
    /// Refused with a listed code: it will not be taken any more.
    Refused,
}

/// A number that has arrived at a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Book {
    pub(crate) number: AttemptNumber,
    pub(crate) provider: u8,
    pub(crate) truth: Truth,
    /// How many more times it was charged, by a provider that doesn't refuse duplicates.
    pub(crate) again: u8,
    /// A repeated packet of it was refused. Such a one is not overlooked as well.
    pub(crate) repeated: bool,
    /// Until then queries may be told that it failed.
    pub(crate) mistaken_until: Option<u32>,
}

/// A submit under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Packet {
    pub(crate) number: AttemptNumber,
    pub(crate) provider: u8,
    pub(crate) token: SendToken,
    /// Whose connection it is.
    pub(crate) lease: u64,
    pub(crate) sent: u32,
    /// Whether it takes its time.
    pub(crate) late: bool,
}

/// What a submit is told at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Reply {
    Accepted,
    Rejected,
    NotSent,
    Unknown,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Upstream {
    pub(crate) books: Vec<Book>,
    pub(crate) packets: Vec<Packet>,
}

impl Upstream {
    pub(crate) fn book(&self, number: AttemptNumber, provider: u8) -> Option<&Book> {
        self.books
            .iter()
            .find(|book| book.number == number && book.provider == provider)
    }

    /// A packet arrives. `takes`: whether a new number is taken, or refused.
    pub(crate) fn arrives(&mut self, packet: Packet, takes: bool, refuses: bool) -> Reply {
        let known = self
            .books
            .iter_mut()
            .find(|book| book.number == packet.number && book.provider == packet.provider);
        match known {
            Some(book) if book.truth == Truth::Refused => Reply::Rejected,
            Some(book) if refuses => {
                book.repeated = true;
                Reply::Rejected
            }
            Some(book) => {
                book.again = book.again.saturating_add(1);
                Reply::Accepted
            }
            None => {
                let truth = if takes {
                    Truth::Charging
                } else {
                    Truth::Refused
                };
                self.books.push(Book {
                    number: packet.number,
                    provider: packet.provider,
                    truth,
                    again: 0,
                    repeated: false,
                    mistaken_until: None,
                });
                if takes {
                    Reply::Accepted
                } else {
                    Reply::Rejected
                }
            }
        }
    }

    /// How often the customer is or may yet be charged, of what has arrived.
    pub(crate) fn charges(&self) -> u32 {
        self.books
            .iter()
            .map(|book| match book.truth {
                Truth::Charging | Truth::Paid => 1 + u32::from(book.again),
                Truth::Failed | Truth::Refused => u32::from(book.again),
            })
            .sum()
    }

    /// Whether the customer is charged or may yet be, packets under way included.
    pub(crate) fn could_charge(&self) -> bool {
        self.charges() > 0
            || self
                .packets
                .iter()
                .any(|packet| self.book(packet.number, packet.provider).is_none())
    }

    pub(crate) fn paid(&self) -> bool {
        self.books.iter().any(|book| book.truth == Truth::Paid)
    }
}
