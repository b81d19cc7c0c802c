//! A moment as templates ask for it (`strftime_now`): given, so that what is rendered today is rendered tomorrow.

/// A moment of a day, in the time of whoever renders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RenderTime {
    pub year: i32,
    /// 1 to 12, 1 to 31.
    pub month: u32,
    pub day: u32,
    pub hour: u32,
    pub minute: u32,
    pub second: u32,
}

const MONTHS: [&str; 12] =
    ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];
const DAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

impl RenderTime {
    /// The moment so many seconds after 1970 began, in UTC.
    pub fn at(seconds: i64) -> Self {
        let (day, of_day) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        let z = day + 719_468;
        let era = z.div_euclid(146_097);
        let of_era = z - era * 146_097;
        let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year + year / 4 - year / 100);
        let shifted = (5 * of_year + 2) / 153;
        let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
        Self {
            year: (year + era * 400 + i64::from(month <= 2)) as i32,
            month: month as u32,
            day: (of_year - (153 * shifted + 2) / 5 + 1) as u32,
            hour: (of_day / 3_600) as u32,
            minute: (of_day / 60 % 60) as u32,
            second: (of_day % 60) as u32,
        }
    }

    /// The day of the week, 0 for Sunday (Sakamoto).
    fn weekday(self) -> usize {
        let shift = [0, 3, 2, 5, 0, 3, 5, 1, 4, 6, 2, 4];
        let year = if self.month < 3 { self.year - 1 } else { self.year };
        let sum = year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
        (sum + shift[(self.month as usize + 11) % 12] + self.day as i32).rem_euclid(7) as usize
    }

    /// The day of the year, from 1.
    fn of_year(self) -> u32 {
        let leap = self.year % 4 == 0 && (self.year % 100 != 0 || self.year % 400 == 0);
        let before = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334][(self.month as usize + 11) % 12];
        before + self.day + u32::from(leap && self.month > 2)
    }

    /// As Python's `strftime` writes it; what it does not know stays as it stands.
    pub fn written(self, format: &str) -> String {
        let mut out = String::new();
        let mut letters = format.chars();
        let (month, day) = (MONTHS[(self.month as usize + 11) % 12], DAYS[self.weekday()]);
        while let Some(letter) = letters.next() {
            if letter != '%' {
                out.push(letter);
                continue;
            }
            let half = match self.hour % 12 {
                0 => 12,
                hour => hour,
            };
            out.push_str(&match letters.next() {
                Some('Y') => format!("{}", self.year),
                Some('y') => format!("{:02}", self.year.rem_euclid(100)),
                Some('m') => format!("{:02}", self.month),
                Some('d') => format!("{:02}", self.day),
                Some('e') => format!("{:2}", self.day),
                Some('B') => month.to_owned(),
                Some('b' | 'h') => month[..3].to_owned(),
                Some('A') => day.to_owned(),
                Some('a') => day[..3].to_owned(),
                Some('H') => format!("{:02}", self.hour),
                Some('I') => format!("{half:02}"),
                Some('M') => format!("{:02}", self.minute),
                Some('S') => format!("{:02}", self.second),
                Some('p') => if self.hour < 12 { "AM" } else { "PM" }.to_owned(),
                Some('j') => format!("{:03}", self.of_year()),
                Some('F') => format!("{}-{:02}-{:02}", self.year, self.month, self.day),
                Some('T') => format!("{:02}:{:02}:{:02}", self.hour, self.minute, self.second),
                Some(other) if other != '%' => format!("%{other}"),
                Some(_) | None => "%".to_owned(),
            });
        }
        out
    }
}
