//! What is told about a row of a list, in Kazakh, Russian and English, out of one table. A message has a code, a place
//! and numbers, and nothing of the list: what stands in a wrong cell may be a name.

/// A language of messages.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Language {
    /// Kazakh.
    Kk,
    /// Russian.
    Ru,
    /// English.
    En,
}

impl Language {
    /// All, in the order of the table.
    pub const ALL: [Language; 3] = [Language::Kk, Language::Ru, Language::En];

    /// The code of ISO 639-1.
    pub const fn code(self) -> &'static str {
        match self {
            Language::Kk => "kk",
            Language::Ru => "ru",
            Language::En => "en",
        }
    }

    /// The language of this code.
    pub fn by_code(code: &str) -> Option<Language> {
        Language::ALL.into_iter().find(|language| language.code() == code)
    }
}

macro_rules! messages {
    ($($name:ident = $code:literal {
        kk: $kk:literal, $kk_remedy:literal;
        ru: $ru:literal, $ru_remedy:literal;
        en: $en:literal, $en_remedy:literal;
    })*) => {
        /// What can be wrong with a row, a cell or a whole list. The codes never change.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
        #[expect(missing_docs, reason = "the table says what each is, in three languages")]
        pub enum RowCode {
            $($name,)*
        }

        impl RowCode {
            /// Every code, in the order of the table.
            pub const ALL: &[RowCode] = &[$(RowCode::$name),*];

            /// Its name for machines.
            pub const fn name(self) -> &'static str {
                match self { $(RowCode::$name => $code),* }
            }

            /// What is wrong, with `{0}` and `{1}` for numbers.
            const fn what(self, language: Language) -> &'static str {
                match (self, language) {
                    $(
                        (RowCode::$name, Language::Kk) => $kk,
                        (RowCode::$name, Language::Ru) => $ru,
                        (RowCode::$name, Language::En) => $en,
                    )*
                }
            }

            /// What to do.
            pub const fn remedy(self, language: Language) -> &'static str {
                match (self, language) {
                    $(
                        (RowCode::$name, Language::Kk) => $kk_remedy,
                        (RowCode::$name, Language::Ru) => $ru_remedy,
                        (RowCode::$name, Language::En) => $en_remedy,
                    )*
                }
            }
        }
    };
}

messages! {
    // --- of the whole list
    ListTooLong = "LIST_TOO_LONG" {
        kk: "тізім {0} байт, шегі {1}", "тізімді бөліңіз";
        ru: "в списке {0} байт, предел {1}", "разделите список";
        en: "{0} bytes, a list has at most {1}", "split the list";
    }
    NotUtf8 = "NOT_UTF8" {
        kk: "тізім UTF-8 кодтауында емес", "тізімді «CSV UTF-8» түрінде сақтаңыз: басқа кодтауда қазақ әріптері жоғалады";
        ru: "список не в кодировке UTF-8", "сохраните список как «CSV UTF-8»: в других кодировках теряются казахские буквы";
        en: "the list is not in UTF-8", "save the list as \"CSV UTF-8\"; other encodings lose Kazakh letters";
    }
    WrongDelimiter = "WRONG_DELIMITER" {
        kk: "бірінші жол бағандарға бөлінбеген", "ұяшықтарды үтірмен бөліп, бірінші жолда бағандардың атын жазыңыз";
        ru: "первая строка не разделена на столбцы", "разделите ячейки запятыми и назовите столбцы в первой строке";
        en: "the first line is not parted into columns", "part the cells by commas, and name the columns in the first line";
    }
    NoRows = "NO_ROWS" {
        kk: "тізімде бірде-бір жол жоқ", "әр түлекке бір жол қосыңыз";
        ru: "в списке нет строк", "добавьте строку для каждого выпускника";
        en: "the list has no rows", "add a row for each graduate";
    }
    TooManyRows = "TOO_MANY_ROWS" {
        kk: "тізімде {0} жолдан артық болмауы тиіс", "тізімді бөліңіз";
        ru: "в списке не более {0} строк", "разделите список";
        en: "a list has at most {0} rows", "split the list";
    }
    // --- of its first line
    DuplicateColumn = "DUPLICATE_COLUMN" {
        kk: "баған екі рет кездеседі", "екеуінің бірін алып тастаңыз";
        ru: "столбец встречается дважды", "удалите один из двух";
        en: "the column occurs twice", "remove one of the two";
    }
    UnknownColumn = "UNKNOWN_COLUMN" {
        kk: "мұндай баған дипломда жоқ", "бағанды үлгідегідей атаңыз немесе алып тастаңыз: дипломда басқа ештеңе жоқ";
        ru: "в дипломе нет столбца с таким именем", "назовите столбец как в образце или удалите его: другого в дипломе нет";
        en: "no column of a diploma has this name", "name the column as the example list does, or remove it: a diploma holds nothing else";
    }
    MissingColumn = "MISSING_COLUMN" {
        kk: "тізімде бұл баған жоқ", "бағанды қосыңыз; оның аты бірінші жолда тұрады";
        ru: "в списке нет этого столбца", "добавьте столбец; его имя стоит в первой строке";
        en: "the list lacks the column", "add the column; its name stands in the first line";
    }
    // --- of a row
    RowTooLong = "ROW_TOO_LONG" {
        kk: "жол {0} байттан ұзын", "ашылып, жабылмаған тырнақшаны іздеңіз";
        ru: "строка длиннее {0} байт", "найдите кавычку, которая открыта и не закрыта";
        en: "the row is longer than {0} bytes", "look for a quotation mark that is opened and never closed";
    }
    WrongCellCount = "WRONG_CELL_COUNT" {
        kk: "жолда {0} ұяшық, бірінші жолда {1}", "бөлгіш белгісі бар мәтінді тырнақшаға алыңыз, ұяшықты қалдырып кетпеңіз";
        ru: "в строке {0} ячеек, в первой строке {1}", "возьмите текст с разделителем в кавычки и не пропускайте ячеек";
        en: "the row has {0} cells, the first line has {1}", "put a text that holds the parting sign into quotation marks, and leave no cell out";
    }
    DuplicateRow = "DUPLICATE_ROW" {
        kk: "жол {0}-жолмен бірдей", "біреуін алып тастаңыз";
        ru: "строка совпадает со строкой {0}", "удалите одну из них";
        en: "the row is the same as that on line {0}", "remove one of them";
    }
    DuplicateNumber = "DUPLICATE_NUMBER" {
        kk: "бұл серия мен нөмір {0}-жолда бар", "ұлттық тізілім әр дипломға өз нөмірін береді: біреуін түзетіңіз";
        ru: "серия и номер уже стоят в строке {0}", "национальный реестр даёт каждому диплому свой номер: исправьте один из них";
        en: "series and number stand on line {0} already", "the national registry gives each diploma its own number: correct one of them";
    }
    // --- of a cell
    Empty = "EMPTY" {
        kk: "ұяшық бос", "ұяшықты толтырыңыз";
        ru: "ячейка пуста", "заполните ячейку";
        en: "it is empty", "fill the cell";
    }
    TooLong = "TOO_LONG" {
        kk: "{0} таңбадан ұзын", "қысқартыңыз немесе бірігіп кеткен ұяшықтарды іздеңіз";
        ru: "длиннее {0} знаков", "сократите или найдите слившиеся ячейки";
        en: "it is longer than {0} characters", "shorten it, or look for cells that ran together";
    }
    Characters = "CHARACTERS" {
        kk: "көрінбейтін не басқару таңбалары бар, немесе шетінде бос орын тұр", "мәтінді қолмен қайта теріңіз: ондай таңбалар көшіргенде келеді";
        ru: "есть невидимые или управляющие знаки, или пробел по краям", "наберите текст заново: такие знаки приходят при копировании";
        en: "it holds invisible or control characters, or begins or ends with a space", "type the text anew; copying brings such characters along";
    }
    University = "UNIVERSITY" {
        kk: "университет БСН-мен не шағын санмен белгіленеді", "БСН жазыңыз";
        ru: "университет указывается БИН или небольшим числом", "напишите БИН";
        en: "a university is a BIN or a small number", "write the BIN";
    }
    Iin = "IIN" {
        kk: "ЖСН он екі цифрдан тұрады", "он екі цифрды жазыңыз; бағанды мәтін ретінде пішімдеңіз";
        ru: "ИИН состоит из двенадцати цифр", "напишите двенадцать цифр; задайте столбцу текстовый формат";
        en: "an IIN has twelve digits", "write the twelve digits; format the column as text";
    }
    ProgrammeCode = "PROGRAMME_CODE" {
        kk: "бағдарлама коды A-Z және 0-9 белгілерінен, 1-16 таңба", "кодты жіктеуіштегідей жазыңыз: 6B06101";
        ru: "код программы состоит из 1-16 знаков A-Z и 0-9", "напишите код как в классификаторе: 6B06101";
        en: "a programme code has 1 to 16 of A-Z and 0-9", "write the code as the classifier does, 6B06101";
    }
    Level = "LEVEL" {
        kk: "деңгей 5-тен 8-ге дейінгі сан", "бакалаврға 6, магистрге 7, докторға 8 жазыңыз";
        ru: "уровень - число от 5 до 8", "напишите 6 для бакалавра, 7 для магистра, 8 для доктора";
        en: "a level is a number from 5 to 8", "write 6 for bachelor, 7 for master, 8 for doctor";
    }
    LevelOfProgramme = "LEVEL_OF_PROGRAMME" {
        kk: "бағдарлама коды басқа деңгейге жатады", "деңгейді не кодты түзетіңіз";
        ru: "код программы относится к другому уровню", "исправьте уровень или код";
        en: "the programme code is of another level", "correct the level or the code";
    }
    Honours = "HONOURS" {
        kk: "үздік белгісі yes не no емес", "yes не no жазыңыз";
        ru: "отличие - ни yes, ни no", "напишите yes или no";
        en: "honours are neither yes nor no", "write yes or no";
    }
    StudyForm = "STUDY_FORM" {
        kk: "мұндай оқу нысаны жоқ", "full_time, evening, correspondence не online жазыңыз";
        ru: "нет такой формы обучения", "напишите full_time, evening, correspondence или online";
        en: "no such form of study", "write full_time, evening, correspondence or online";
    }
    Date = "DATE" {
        kk: "күнтізбеде мұндай күн жоқ", "жыл, ай, күнді 2026-06-30 түрінде жазыңыз; бағанды мәтін ретінде пішімдеңіз";
        ru: "в календаре нет такого дня", "напишите год, месяц и день как 2026-06-30; задайте столбцу текстовый формат";
        en: "not a day of the calendar", "write year, month and day as 2026-06-30; format the column as text";
    }
    DateOrder = "DATE_ORDER" {
        kk: "беру күні комиссия хаттамасынан бұрын", "екі күннің бірін түзетіңіз";
        ru: "день присуждения раньше протокола комиссии", "исправьте один из двух дней";
        en: "the award is dated before the commission's minutes", "correct one of the two days";
    }
    // --- of the national registry's answer
    IinMissing = "IIN_MISSING" {
        kk: "ЖСН тізімде де, ұлттық тізілімде де жоқ", "ЖСН бағанын толтырыңыз: онсыз келісімді тексеру мүмкін емес";
        ru: "ИИН нет ни в списке, ни в национальном реестре", "заполните столбец iin: без него согласие не проверить";
        en: "neither the list nor the national registry has the IIN", "fill the column iin: without it no consent can be checked";
    }
    RegistryNotFound = "REGISTRY_NOT_FOUND" {
        kk: "ұлттық тізілімде бұл серия мен нөмір жоқ", "серия мен нөмірді түзетіңіз немесе алдымен ұлттық тізілімге тіркеңіз";
        ru: "в национальном реестре нет этих серии и номера", "исправьте серию и номер или сначала внесите диплом в национальный реестр";
        en: "the national registry does not have this series and number", "correct series and number, or enter the diploma in the national registry first";
    }
    RegistryDiffers = "REGISTRY_DIFFERS" {
        kk: "ұлттық тізілімде бұл өріс басқаша", "тізімді немесе ұлттық тізілімді түзетіңіз: екеуі сәйкес болуы тиіс";
        ru: "в национальном реестре это поле другое", "исправьте список или национальный реестр: они должны совпадать";
        en: "the national registry has this field otherwise", "correct the list or the national registry: both must agree";
    }
}

impl RowCode {
    /// What is wrong, with its numbers.
    pub fn told(self, language: Language, numbers: [u64; 2]) -> String {
        let text = self.what(language);
        text.replace("{0}", &numbers[0].to_string()).replace("{1}", &numbers[1].to_string())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_code_is_its_own_and_says_the_same_numbers_in_each_language() {
        let names: BTreeSet<&str> = RowCode::ALL.iter().map(|code| code.name()).collect();
        assert_eq!(names.len(), RowCode::ALL.len());
        for code in RowCode::ALL {
            let numbers =
                |language: Language| ["{0}", "{1}"].map(|number| code.what(language).contains(number));
            assert!(
                Language::ALL.iter().all(|language| numbers(*language) == numbers(Language::En)),
                "{code:?}"
            );
            for language in Language::ALL {
                assert!(!code.told(language, [7, 8]).contains('{'));
                assert!(!code.remedy(language).is_empty());
            }
        }
    }

    #[test]
    fn kazakh_is_not_a_copy_of_russian() {
        for code in RowCode::ALL {
            assert_ne!(code.what(Language::Kk), code.what(Language::Ru), "{code:?}");
            assert_ne!(code.remedy(Language::Kk), code.remedy(Language::Ru), "{code:?}");
        }
    }

    #[test]
    fn a_language_has_one_code() {
        for language in Language::ALL {
            assert_eq!(Language::by_code(language.code()), Some(language));
        }
        assert_eq!(Language::by_code("de"), None);
    }
}
