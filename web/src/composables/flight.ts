const MS = 520

/** The counter that is on the screen: that of the view, or else the one in the header. */
function counterInView(): Element | undefined {
  return [...document.querySelectorAll('[data-counter]')].reverse().find((counter) => {
    const { top, bottom, width } = counter.getBoundingClientRect()
    return width > 0 && bottom > 0 && top < window.innerHeight
  })
}

/** Let a copy of the cover next to `pressed` fly into the counter of liked titles. Nothing moves with reduced motion. */
export function flyToCounter(pressed: Element) {
  if (window.matchMedia('(prefers-reduced-motion: reduce)').matches) return
  const cover = pressed.closest('article, li, [data-title]')?.querySelector('.shadow-cover')
  const counter = counterInView()
  if (!cover || !counter) return
  const [from, to] = [cover.getBoundingClientRect(), counter.getBoundingClientRect()]
  if (from.width === 0) return
  const copy = cover.cloneNode(true) as HTMLElement
  copy.dataset.flight = ''
  copy.setAttribute('aria-hidden', 'true')
  copy.inert = true
  Object.assign(copy.style, { position: 'fixed', zIndex: '60', pointerEvents: 'none', left: `${from.left}px`, top: `${from.top}px`, width: `${from.width}px`, height: `${from.height}px` })
  document.body.append(copy)
  const [x, y] = [to.left + to.width / 2 - from.left - from.width / 2, to.top + to.height / 2 - from.top - from.height / 2]
  const lift = Math.min(-40, y / 2 - 60)
  const flight = copy.animate(
    [
      { transform: 'none', opacity: 1 },
      { transform: `translate(${x / 2}px, ${lift}px) scale(0.45)`, opacity: 1, offset: 0.5 },
      { transform: `translate(${x}px, ${y}px) scale(0.06)`, opacity: 0.4 },
    ],
    { duration: MS, easing: 'cubic-bezier(0.4, 0, 0.3, 1)' },
  )
  flight.onfinish = flight.oncancel = () => {
    copy.remove()
    counter.animate([{ transform: 'none' }, { transform: 'scale(1.18)' }, { transform: 'none' }], { duration: 260, easing: 'ease-out' })
  }
}
