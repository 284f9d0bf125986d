() => {
    // Gradio 6.31 leaves some buttons without a name, and things that do nothing reachable by Tab.
    const mends = {
        ".timebox > .calendar:not([aria-label])": (button) => (button.ariaLabel = "Choose a date"),
        ".overflow-menu > button:not([aria-label])": (button) => (button.ariaLabel = "More tabs"),
        ".empty[aria-label]:not([role])": (box) => (box.role = "img"),
        ".upload-container[aria-label]": (button) => button.removeAttribute("aria-label"), // says less than its text
        ".image-container > button:not([tabindex], :has(.selectable))": (button) => (button.tabIndex = -1),
        ".confidence-set:not([tabindex], .selectable)": (button) => (button.tabIndex = -1),
        ".option-list:not([tabindex])": (list) => (list.tabIndex = -1), // the arrow keys walk through it
    };
    const mend = () => {
        for (const [selector, change] of Object.entries(mends)) document.querySelectorAll(selector).forEach(change);
    };
    new MutationObserver(mend).observe(document.body, { childList: true, subtree: true });
    mend();

    // Its pad takes all pointers for one: a second finger or a palm would be joined to the stroke by a bar. A palm may
    // rest before the pen does, which is near by then.
    const NEAR = 1000; // ms since the pen was last seen, drawing or above the screen
    let drawing = null,
        penSeen = -Infinity;
    const keepOne = (event) => {
        const onPad = event.target.closest?.(".pad canvas");
        if (event.pointerType === "pen") penSeen = event.timeStamp;
        const isPalm = event.pointerType === "touch" && event.timeStamp - penSeen < NEAR;
        if (event.type === "pointerdown" && onPad && !isPalm) drawing ??= event.pointerId;
        if (drawing === null ? isPalm && onPad : event.pointerId !== drawing) event.stopImmediatePropagation();
        else if (["pointerup", "pointercancel"].includes(event.type)) drawing = null;
    };
    for (const kind of ["pointerdown", "pointermove", "pointerup", "pointercancel"])
        window.addEventListener(kind, keepOne, true);
}
