/**
 * Tags that are no theme of a story: how and where it was made, for whom, or the format. Names as the data write them, in
 * lower case. Readers are shown what a title is about.
 */
const NO_THEME: ReadonlySet<string> = new Set(
  `japanese production|anime|animation|based on a manga|based on a light novel|based on a novel|based on a visual novel|based on a video game|based on a 4-koma manga|based on a web novel|
adapted into japanese movie|adapted into jdrama|manga|novel|light novel|visual novel|original work|new|remake|sequel|prequel|special|recap|short episodes|short movie|shorts|ova|ona|tv|movie|
target audience|shounen|shoujo|seinen|josei|kids|kodomo|dynamic|elements|setting|place|time|themes|content indicators|maintenance tags|technical aspects|origin|fetishes|ensemble cast|
primarily male cast|primarily female cast|primarily adult cast|primarily teen cast|primarily child cast|male protagonist|female protagonist|full cgi|cgi|cg|stop motion|rotoscoping|widescreen|
4:3|tv edition|earth|asia|japan|present|past|future|human|unrecorded|noitamina|nhk|tv-ma|r-17+|pg-13|pg|g|rx|r+|ratings|heterosexual|nudity|foreign`
    .split('|')
    .map((name) => name.trim()),
)

/** True if a tag names what a title is about. */
export const isTheme = (tag: string): boolean => !NO_THEME.has(tag.toLowerCase()) && !/^(based on|adapted into|primarily|originally|(19|20)\d\d)/i.test(tag)
